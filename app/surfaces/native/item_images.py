"""Makes the shapes of the images of items."""

from collections.abc import Sequence
from typing import Any

from app.item_images.shown import ShownImage
from app.surfaces.native.wire.item_images import ItemImage, ItemImageList
from app.surfaces.native.wire.shape import Links


def render_images(images: Sequence[ShownImage], path: str, next_page: str | None) -> ItemImageList:
    """`path` is the absolute address of the list."""
    links = Links() if next_page is None else Links(next=next_page)
    return ItemImageList(links=links, results=[render_image(each, path) for each in images])


def render_image(image: ShownImage, path: str) -> ItemImage:
    """A caller may have written the record, with or without what a sync writes."""
    told: dict[str, Any] = {
        name: image.data[member]
        for name, member, kind in (
            ("media_type", "mediaType", str),
            ("width", "width", int),
            ("height", "height", int),
            ("bytes", "bytes", int),
            ("sha256", "sha256", str),
            ("file_name", "fileName", str),
        )
        if isinstance(image.data.get(member), kind)
    }
    return ItemImage(sequence=image.sequence, url=f"{path}/{image.sequence}", updated_at=image.updated_at, **told)
