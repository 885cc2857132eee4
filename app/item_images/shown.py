"""What is shown of the images of an item: the list of them, and the picture of one in a size."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import msgspec

from app.errors import Complaint, Refused
from app.item_images.file_names import ITEM_CODE
from app.item_images.kept_pictures import KeptPicture, PictureLost, find_size, open_picture
from app.resources.field_types import normalize_key
from app.runtime import Runtime
from app.storage import records
from app.storage.database import ReadSession
from app.storage.images import records as image_records

NO_ITEM = "There is no item with this code"
NO_IMAGE = "The item has no image with this sequence"
NOT_KEPT = "The picture of this image is not stored here. An item sync stores it"
LOST = "The stored picture is missing or damaged. The next run of its item sync stores it again"


@dataclass(frozen=True, slots=True)
class ShownImage:
    """`data` is the record as it is stored, which a caller may have written."""

    key: str
    sequence: int
    data: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OpenPicture:
    kept: KeptPicture
    file: BinaryIO


async def list_images(
    session: ReadSession, account_id: int, item_code: str, *, after: tuple[int, str], limit: int
) -> list[ShownImage]:
    """In the order of their sequence, after such a pair of sequence and key. Raises Refused("not_found")."""
    code = normalize_key(ITEM_CODE, item_code)
    if await records.get(session, account_id, "items", code) is None:
        raise Refused("not_found", NO_ITEM)
    rows = await image_records.of_item(session, account_id, code, after=after, limit=limit)
    return [
        ShownImage(row["key"], int(row["sequence"]), msgspec.json.decode(row["data"]), row["updated_at"])
        for row in rows
    ]


async def open_image(
    runtime: Runtime, account_id: int, item_code: str, sequence: int, width: int | None
) -> OpenPicture:
    """Raises Refused: not_found; gone if the stored picture is lost; too_many_reads. Raises DecoderAway,
    BlobsUnavailable."""
    key = f"{normalize_key(ITEM_CODE, item_code)}_{sequence}"
    async with runtime.database.read() as session:
        row = await records.get(session, account_id, "item-images", key)
    if row is None:
        raise Refused("not_found", NO_IMAGE)
    sha256 = msgspec.json.decode(row["data"]).get("sha256")
    try:
        kept = await find_size(runtime, account_id, sha256, width) if isinstance(sha256, str) else None
        if kept is None or kept.refused:
            raise Refused("not_found", NOT_KEPT)
        return OpenPicture(kept, await open_picture(runtime, account_id, kept))
    except PictureLost:
        raise Refused("gone", LOST) from None


def parse_cursor(text: str | None) -> tuple[int, str]:
    """The sequence and the key in a cursor. Raises Refused("invalid")."""
    if text is None:
        return -1, ""
    sequence, divider, key = text.partition(":")
    if not divider or not sequence.isdecimal() or len(sequence) > 9:
        reason = "`cursor` must be a cursor from an earlier response"
        raise Refused("invalid", reason, [Complaint("cursor", reason)])
    return int(sequence), key
