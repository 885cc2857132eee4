"""Reads the pictures of an archive: whose they are by their names, what they are by their content."""

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.formats.archives.directory import Entry
from app.formats.archives.zip_file import ArchiveLimits, EntryRefused, ZipReader
from app.item_images.file_names import (
    KnownItems,
    Reading,
    choose_reading,
    has_picture_extension,
    is_left_by_system,
    list_readings,
    lower,
)
from app.item_images.kept_pictures import KeptPicture, keep_picture, kept_from
from app.runs.lifecycle import Stopping
from app.runtime import Runtime
from app.storage.images import pictures
from app.storage.images import records as image_records

MOST_ENTRIES: Final = 50_000  # of an archive that are looked at
PICTURE_BYTES: Final = 26_214_400  # of a file in an archive
UNPACKED_BYTES: Final = 4_294_967_296  # of an archive in all
BATCH_BYTES: Final = 16_777_216  # that are unpacked before they are looked for among those that are kept
BATCH_PICTURES: Final = 200
TURN_SECONDS: Final = 300.0  # after which others have a turn; what is kept by then is only unpacked again


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that an item gets. `sha256` is of the file in the archive; the rest is of the picture as it is kept."""

    item_code: str
    sequence: int
    sha256: str
    media_type: str
    width: int
    height: int
    bytes: int
    file_name: str

    @property
    def key(self) -> str:
        return f"{self.item_code}_{self.sequence}"


@dataclass(frozen=True, slots=True)
class Found:
    """What is in an archive. `refused` has the name of each file that becomes no image, with a code of REFUSALS;
    `ignored` counts folders and what operating systems leave behind; `is_cut` says that there are more files than are
    looked at."""

    images: dict[str, Image] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    ignored: int = 0
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file of the archive whose item is known."""

    entry: Entry
    reading: Reading
    content: bytes
    sha256: str


@dataclass(slots=True)
class Turn:
    """How long a worker goes on. It ends only after a picture was kept, so that every turn comes further."""

    stopping: Stopping
    seconds: float = TURN_SECONDS
    kept: int = 0
    began: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        return self.stopping() or (self.kept > 0 and time.monotonic() - self.began >= self.seconds)


Named = tuple[Entry, Reading]


def build_archive_limits(runtime: Runtime) -> ArchiveLimits:
    return ArchiveLimits(
        entries=MOST_ENTRIES,
        entry_bytes=PICTURE_BYTES,
        total_bytes=UNPACKED_BYTES,
        ratio=runtime.settings.unpack_ratio,
    )


async def read_pictures(runtime: Runtime, account_id: int, archive: ZipReader, turn: Turn) -> Found | None:
    """Keeps the pictures of all items that there are. None when the turn is over: what is kept by then is not decoded
    again. Raises DecoderAway, BlobsUnavailable, and what reading the archive raises."""
    entries = [each for each in archive.entries if not each.is_folder and not is_left_by_system(each.path)]
    found = Found(ignored=len(archive.entries) - len(entries), is_cut=archive.is_cut)
    named = await name_entries(runtime, account_id, entries, found)
    # From the end: of several files for one image the last counts, or the one before if that is no picture.
    for batch in cut_batches(named[::-1]):
        if turn.is_over() or not await read_batch(runtime, account_id, archive, batch, found, turn=turn):
            return None
    return found


async def name_entries(runtime: Runtime, account_id: int, entries: Sequence[Entry], found: Found) -> list[Named]:
    """The entries that are named after an item, with what their names mean."""
    readings = await asyncio.to_thread(lambda: [list_readings(each.name) for each in entries])
    items = await find_items(runtime, account_id, readings)
    named: list[Named] = []
    for entry, possible in zip(entries, readings, strict=True):
        chosen = choose_reading(possible, items)
        if not has_picture_extension(entry.name):
            found.refused.append((entry.path, "other_extension"))
        elif chosen is None:
            found.refused.append((entry.path, "unknown_item"))
        else:
            named.append((entry, chosen))
    return named


async def find_items(runtime: Runtime, account_id: int, readings: Sequence[Sequence[Reading]]) -> KnownItems:
    """The items that some of the readings may mean."""
    async with runtime.database.read() as session:
        codes = await image_records.find_codes(
            session, account_id, {each.item_code for possible in readings for each in possible}
        )
        unknown = [possible for possible in readings if not any(each.item_code in codes for each in possible)]
        lowered = {lower(each.item_code) for possible in unknown for each in possible}
        similar = await image_records.find_similar_codes(session, account_id, lowered) if lowered else ()
    by_lower_case: dict[str, list[str]] = {}
    for code in similar:
        by_lower_case.setdefault(lower(code), []).append(code)
    return KnownItems(codes, by_lower_case)


def cut_batches(named: Sequence[Named]) -> Iterator[list[Named]]:
    """By what the archive says of sizes: an entry that is larger than that is not unpacked further."""
    batch: list[Named] = []
    size = 0
    for each in named:
        if batch and (size + each[0].size > BATCH_BYTES or len(batch) >= BATCH_PICTURES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each[0].size
    if batch:
        yield batch


async def read_batch(
    runtime: Runtime, account_id: int, archive: ZipReader, batch: Sequence[Named], found: Found, *, turn: Turn
) -> bool:
    """Adds the images of a batch to those that were found. False when the turn is over."""
    unpacked = await asyncio.to_thread(lambda: list(unpack_batch(archive, batch, found)))
    async with runtime.database.transaction() as session:
        rows = await pictures.recognise(session, account_id, [each.sha256 for each in unpacked])
    known = {sha256: kept_from(row) for sha256, row in rows.items()}
    for each in unpacked:
        if turn.is_over():
            return False
        if each.sha256 not in known:
            known[each.sha256] = await keep_picture(runtime, account_id, each.sha256, each.content)
            turn.kept += 1
        add_image(found, each, known[each.sha256])
    return True


def unpack_batch(archive: ZipReader, batch: Sequence[Named], found: Found) -> Iterator[Unpacked]:
    """Blocking."""
    for entry, reading in batch:
        if f"{reading.item_code}_{reading.sequence}" in found.images:
            found.refused.append((entry.path, "repeated"))
            continue
        try:
            content = archive.read(entry)
        except EntryRefused as refused:
            found.refused.append((entry.path, refused.code))
            continue
        yield Unpacked(entry, reading, content, hashlib.sha256(content).hexdigest())


def add_image(found: Found, unpacked: Unpacked, kept: KeptPicture) -> None:
    image = Image(
        item_code=unpacked.reading.item_code,
        sequence=unpacked.reading.sequence,
        sha256=kept.sha256,
        media_type=kept.media_type,
        width=kept.width,
        height=kept.height,
        bytes=kept.size,
        file_name=unpacked.entry.name,
    )
    if kept.refused or image.key in found.images:
        found.refused.append((unpacked.entry.path, kept.refused or "repeated"))
        return
    found.images[image.key] = image
