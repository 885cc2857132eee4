"""Pictures as this service keeps them: decoded once for each content, and stored as blobs that a table owns."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from app.pictures.picture import Picture, PictureRefused
from app.runs.deletion import delete_unowned
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobMissing, Blobs, BlobWriter
from app.storage.database import ReadSession
from app.storage.images import pictures
from app.storage.images.pictures import AS_IT_IS

# A sync keeps pictures before its images show them, and the files of an archive that is read again need not be decoded.
UNUSED_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """`sha256` is of what was sent, `blob_sha256` of what is stored. One that was refused has a code, and nothing of
    these."""

    sha256: str
    width: int
    height: int
    media_type: str
    size: int  # bytes
    blob: str
    blob_digests: bytes | None
    blob_sha256: str
    refused: str


class PictureLost(Exception):
    """The stored file of a picture is missing or damaged. It is forgotten, and kept again when it comes again."""


def kept_from(row: Mapping[Any, Any]) -> KeptPicture:
    return KeptPicture(
        sha256=row["sha256"],
        width=row["pixel_width"] or 0,
        height=row["pixel_height"] or 0,
        media_type=row["media_type"] or "",
        size=row["bytes"] or 0,
        blob=row["blob"] or "",
        blob_digests=row["blob_digests"],
        blob_sha256=row["blob_sha256"] or "",
        refused=row["refused"] or "",
    )


async def keep_picture(runtime: Runtime, account_id: int, sha256: str, content: bytes) -> KeptPicture:
    """A picture that was not seen before. What is wrong with it is kept, too. Raises DecoderAway, BlobsUnavailable."""
    try:
        picture = await runtime.pictures.clean(content)
    except PictureRefused as refused:
        return await store(runtime, account_id, sha256, refused.code)
    return await store(runtime, account_id, sha256, picture)


async def find_size(runtime: Runtime, account_id: int, sha256: str, width: int | None) -> KeptPicture | None:
    """The picture in at most this width; as it is if it is no wider, or cannot be made smaller. None if it is not kept.
    Raises PictureLost, DecoderAway, BlobsUnavailable, Refused("too_many_reads")."""
    async with runtime.database.read() as session:
        whole = await load(session, account_id, sha256)
        smaller = await load(session, account_id, sha256, width=width) if width else None
    if whole is None or whole.refused or not width or whole.width <= width:
        return whole
    if smaller is None:
        async with runtime.pictures.turn(account_id):
            async with runtime.database.read() as session:
                smaller = await load(session, account_id, sha256, width=width)
            smaller = smaller or await make_smaller(runtime, account_id, whole, width)
    return whole if smaller.refused else smaller


async def load(session: ReadSession, account_id: int, sha256: str, *, width: int | None = None) -> KeptPicture | None:
    row = await pictures.find(session, account_id, sha256, width=width or AS_IT_IS)
    return None if row is None else kept_from(row)


async def make_smaller(runtime: Runtime, account_id: int, whole: KeptPicture, width: int) -> KeptPicture:
    """Raises PictureLost, DecoderAway, BlobsUnavailable."""
    try:
        content = await asyncio.to_thread(read_blob, runtime.blobs, whole)
        picture: Picture | str = await runtime.pictures.scale(content, width)
    except (BlobMissing, BlobDamaged):
        raise await forget(runtime, account_id, whole) from None
    except PictureRefused as refused:
        picture = refused.code
    return await store(runtime, account_id, whole.sha256, picture, width=width)


async def open_picture(runtime: Runtime, account_id: int, picture: KeptPicture) -> BinaryIO:
    """Raises PictureLost, BlobsUnavailable."""
    try:
        return await asyncio.to_thread(runtime.blobs.open, picture.blob, picture.blob_digests)
    except (BlobMissing, BlobDamaged):
        raise await forget(runtime, account_id, picture) from None


async def forget(runtime: Runtime, account_id: int, picture: KeptPicture) -> PictureLost:
    async with runtime.database.transaction() as session:
        await pictures.forget(session, account_id, picture.blob)
    return PictureLost()


async def store(
    runtime: Runtime, account_id: int, sha256: str, picture: Picture | str, *, width: int = AS_IT_IS
) -> KeptPicture:
    """A picture, or the code for which there is none. Of two processes that store one, the first has it stored."""
    values: dict[str, Any] = {"account_id": account_id, "sha256": sha256, "width": width}
    if isinstance(picture, str):
        values |= {"refused": picture}
    else:
        blob = await asyncio.to_thread(write_blob, runtime.blobs, picture.content)
        values |= {
            "blob": blob.name,
            "blob_digests": blob.digests,
            "blob_sha256": hashlib.sha256(picture.content).hexdigest(),
            "bytes": len(picture.content),
            "media_type": picture.media_type,
            "pixel_width": picture.width,
            "pixel_height": picture.height,
        }
    async with runtime.database.transaction() as session:
        added = await pictures.add(session, values)
        stored = await pictures.find(session, account_id, sha256, width=width)
    if not added and "blob" in values:
        await asyncio.to_thread(runtime.blobs.delete, values["blob"])
    assert stored is not None  # noqa: S101  it is there by now, and is swept a day later
    return kept_from(stored)


async def sweep_pictures(runtime: Runtime) -> None:
    """Deletes pictures that no image has shown for a day and no undo can bring back, and their files."""
    async with runtime.database.transaction() as session:
        blobs = await pictures.delete_unused(session, seconds=UNUSED_SECONDS)
    await delete_unowned(runtime, blobs)


def write_blob(blobs: Blobs, content: bytes) -> BlobWriter:
    writer = blobs.create()
    try:
        writer.write(content)
        writer.commit()
    finally:
        writer.abort()  # does nothing after the commit
    return writer


def read_blob(blobs: Blobs, picture: KeptPicture) -> bytes:
    with blobs.open(picture.blob, picture.blob_digests) as file:
        return file.read()
