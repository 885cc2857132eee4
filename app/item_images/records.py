"""Writes the images that an archive has as records, all at once, and takes away those of items that are gone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from app.item_images.archive import Image
from app.storage import merge, records
from app.storage.applying import closing
from app.storage.applying.left_alone import find_left_alone
from app.storage.database import Session
from app.storage.images import records as image_records
from app.storage.merge import MergeTarget
from app.storage.staging import table as staging

TYPE = "item-images"


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """What became of the images; `skipped` are those that a later run or write has changed since."""

    added: int
    changed: int
    unchanged: int
    skipped: int
    removed: int
    held_back: int = 0  # of those that are skipped: a later import has replaced all images, and they are not among them


def format_images(images: Mapping[str, Image]) -> bytes:
    """The images for `write_images`, by their keys, in the order of the archive. Blocking."""
    data = [render_record(key, image) for key, image in images.items()]
    return staging.format_copy_text(list(images), range(1, len(images) + 1), data)


def render_record(key: str, image: Image) -> str:
    record = {
        "id": key,
        "itemCode": image.item_code,
        "sequence": image.sequence,
        "sha256": image.sha256,
        "mediaType": image.media_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "fileName": image.file_name,
    }
    return msgspec.json.encode(record).decode()


async def write_images(
    session: Session, account_id: int, run_id: str, run_seq: int, lines: bytes, *, remove_missing: bool
) -> ImageCounts:
    """In the caller's transaction. `lines` are of `format_images`. With `remove_missing` the images of items that are
    gone go as well. Images that the archive does not have stay."""
    target = MergeTarget(
        account_id=account_id,
        type=TYPE,
        run_id=run_id,
        run_seq=run_seq,
        mode="overwrite",
        created_at=await records.now(session),
        flat=True,
    )
    created = updated = superseded = held_back = 0
    if lines:
        await staging.stage(session, lines)
        if (await closing.find_other_imports(session, target))["replaced"]:
            held_back = await image_records.hold_back_new(session, account_id)
        rows = range(lines.count(b"\n"))
        merged = await merge.merge(session, target, rows, touch=await is_older_run_open(session, target))
        created, updated = merged.created, merged.updated
        superseded = held_back + sum(row["superseded"] for row in await find_left_alone(session, target))
    removed = await image_records.remove_of_missing_items(session, account_id, run_seq) if remove_missing else 0
    unchanged = lines.count(b"\n") - created - updated - superseded
    return ImageCounts(created, updated, unchanged, superseded, removed, held_back)


async def is_older_run_open(session: Session, target: MergeTarget) -> bool:
    """Whether an older import of images or sync of items may still write them: then unchanged ones are marked, too."""
    others = [await closing.find_other_imports(session, replace(target, type=name)) for name in (TYPE, "items")]
    return any(each["older"] for each in others)
