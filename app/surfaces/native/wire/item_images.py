"""Shapes of the images of items."""

from enum import IntEnum
from typing import Any, Final

from pydantic import Field

from app.pictures.picture import WIDTHS
from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape, Timestamp

PictureWidth = IntEnum("PictureWidth", {f"W{width}": width for width in WIDTHS})  # type: ignore[misc]

CONTENT: Final[dict[str, Any]] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in ("image/jpeg", "image/png")
}
PICTURE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": CONTENT, "description": "The picture"},
    206: {"content": CONTENT, "description": "The part that `Range` asks for"},
    304: {"description": "The client has this picture: its `ETag` is in `If-None-Match`"},
    416: {"description": "No byte of the picture is in the range"},
}


class ItemImage(Shape):
    sequence: int
    url: str = Field(description="Where the picture is. It requires the key, too")
    media_type: str | None = Field(default=None, description="`image/jpeg` or `image/png`")
    width: int | None = Field(default=None, description="In pixels, with the picture upright")
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = Field(default=None, description="Of the file as it was sent, in hexadecimal")
    file_name: str | None = Field(default=None, description="The name of the file in the archive")
    updated_at: Timestamp


class ItemImageList(Shape):
    """In the order of the sequence."""

    links: Links
    results: list[ItemImage]
