"""The last step of an item sync: takes in the pictures of the ZIP, once the items are there that they show."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.errors import shorten_name
from app.formats.archives.directory import NotAnArchive
from app.formats.archives.zip_file import ZipReader
from app.imports.sources.fetch import report_step
from app.item_images.archive import MOST_ENTRIES, Found, Turn, build_archive_limits, read_pictures
from app.item_images.records import ImageCounts, format_images, write_images
from app.item_images.refusals import REFUSALS
from app.observe.sync_events import SyncImagesWritten
from app.problems import NO_ROW, Problem, shorten
from app.runs import problems
from app.runs.changes.undoable import is_noted
from app.runs.deletion import delete_unowned
from app.runs.lifecycle import RunLost, Stopping, announce_end
from app.runs.model import Run
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage import batches
from app.storage.blobs import BlobDamaged, BlobMissing, BlobsUnavailable
from app.storage.database import Session
from app.storage.journal.writer import tell_journal
from app.storage.syncs import files as stored_files
from app.storage.syncs import progress
from app.syncs.files import Role, SyncFile, load_files
from app.syncs.plan import Images, seen_zip_to_json
from app.syncs.report import ImagesReport, RefusedPicture, load_report, report_to_json
from app.syncs.settings import SyncSettings
from app.syncs.steps import go_on, load_run_settings
from app.syncs.writing.report import ROWS

MOST_LISTED: Final = 100  # refused files in a report; all are counted, and are problems of the run
LOST: Final = "The stored ZIP file is missing or damaged"
CUT: Final = f"The ZIP file has more than {MOST_ENTRIES:,} files; the others were not looked at"


@dataclass(frozen=True, slots=True)
class Archive:
    """What the ZIP has. `failure` says why it could not be read; None: there was nothing to read."""

    zipped: SyncFile | None = None
    found: Found = field(default_factory=Found)
    failure: str = ""


async def take_in_images(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    """Says whether the run has ended; not if it is time to stop. Whatever is wrong with the ZIP or its pictures is
    reported, and ends no sync. Raises RunLost, DecoderAway, BlobsUnavailable."""
    async with runtime.database.read() as session:
        files = await load_files(session, run.id, Role.IMAGES)
    turn = Turn(stopping)
    archive = await read_archive(runtime, run, files[0], turn) if files else Archive()
    if archive is None:
        await note_progress(runtime, run, turn)
        return False
    report_step(runtime, run, "pictures kept")
    lines = await asyncio.to_thread(format_images, archive.found.images)
    packed = await asyncio.to_thread(pack_refused, archive)
    async with runtime.database.transaction() as session:
        await add_problems(session, run, archive, packed)
        counts, ended = await write_and_go_on(session, run, archive, lines)
        dropped = await stored_files.drop(session, run.id, Role.IMAGES)  # it may be large, and nobody reads it again
    report_step(runtime, run, "images written")
    runtime.observe(
        SyncImagesWritten(
            run.id,
            run.account_id,
            counts.added,
            counts.changed,
            counts.unchanged,
            counts.removed,
            len(archive.found.refused),
        )
    )
    announce_end(runtime, ended)
    with suppress(BlobsUnavailable):  # the sweep deletes what nothing owns
        await delete_unowned(runtime, dropped)
    return ended is not None


async def note_progress(runtime: Runtime, run: Run, turn: Turn) -> None:
    """A turn in which pictures were kept clears the crashes before it. Raises RunLost."""
    async with runtime.database.transaction() as session:
        if turn.kept and not await progress.change(session, run.id, run.attempt, run.step, {"crashes": 0}):
            raise RunLost


async def read_archive(runtime: Runtime, run: Run, zipped: SyncFile, turn: Turn) -> Archive | None:
    """None if the turn is over."""
    try:
        with await asyncio.to_thread(runtime.blobs.open, zipped.blob, zipped.digests) as file:
            reader = await asyncio.to_thread(ZipReader, file, build_archive_limits(runtime))
            found = await read_pictures(runtime, run.account_id, reader, turn)
    except NotAnArchive as wrong:
        return Archive(zipped, failure=str(wrong))
    except (BlobMissing, BlobDamaged):
        return Archive(zipped, failure=LOST)
    return None if found is None else Archive(zipped, found)


def pack_refused(archive: Archive) -> bytes | None:
    """Every file that became no image, as a problem. Blocking."""
    path = archive.zipped.path if archive.zipped else None
    return problems.pack(build_problem(path, name, code) for name, code in archive.found.refused)


def build_problem(path: str | None, name: str, code: str) -> Problem:
    return Problem(
        line=NO_ROW,
        row=NO_ROW,
        column=None,
        field=None,
        code=code,
        message=f'"{shorten_name(name)}" {REFUSALS[code]}',
        value=shorten(name),
        file=path,
    )


async def add_problems(session: Session, run: Run, archive: Archive, packed: bytes | None) -> None:
    """A batch without rows, which has the problems with pictures."""
    if packed is not None:
        place = {"at_offset": run.at_offset, "at_line": run.at_line, "at_row": run.at_row}
        values = {"run_id": run.id, "number": run.batches + 1, "attempt": run.attempt, **place}
        told = {"problem_count": len(archive.found.refused), "problems": packed, "created_rows": None}
        await batches.add(session, {**values, **dict.fromkeys(ROWS, 0), **told})


async def write_and_go_on(session: Session, run: Run, archive: Archive, lines: bytes) -> tuple[ImageCounts, Run | None]:
    """The images, the report and the end of the step, all at once. Raises RunLost."""
    settings = load_run_settings(run)
    await tell_journal(session, run_id=run.id, kept=is_noted(run))
    counts = await write_images(session, run.account_id, run.id, run.seq, lines, remove_missing=settings.mode == "full")
    await remember_archive(session, run, archive, counts)
    report = load_report(run)
    status: Images = report.images.status if report.images else "unwanted"
    images = build_report(status, settings, archive, counts)
    warnings = [dict(each) for each in run.warnings]
    add_warnings(warnings, find_warnings(settings, archive))
    told = {"report": report_to_json(msgspec.structs.replace(report, images=images)), "warnings": warnings}
    has_batch = bool(archive.found.refused)
    return counts, await go_on(session, run, {**told, "batches": run.batches + has_batch})


async def remember_archive(session: Session, run: Run, archive: Archive, counts: ImageCounts) -> None:
    """The ZIP is not fetched again while it is the same, unless one of its files may become an image later: one that
    has no item now, or whose item has just gone, or whose image a later import has removed."""
    waits = any(code == "unknown_item" for _, code in archive.found.refused) or counts.removed or counts.held_back
    if waits:
        await progress.forget_images(session, run.sync_id or "")
    elif archive.zipped is not None and not archive.failure:
        await progress.remember_images(session, run.sync_id or "", seen_zip_to_json(archive.zipped))


def build_report(status: Images, settings: SyncSettings, archive: Archive, counts: ImageCounts) -> ImagesReport:
    refused = archive.found.refused
    return ImagesReport(
        status=status,
        path=settings.images_path,
        added=counts.added,
        changed=counts.changed,
        unchanged=counts.unchanged,
        removed=counts.removed,
        skipped=counts.skipped,
        failed=len(refused),
        ignored=archive.found.ignored,
        failure=archive.failure,
        refused=[
            RefusedPicture(name=shorten_name(name), code=code, message=f'"{shorten_name(name)}" {REFUSALS[code]}')
            for name, code in refused[:MOST_LISTED]
        ],
    )


def find_warnings(settings: SyncSettings, archive: Archive) -> Iterator[RunWarning]:
    path, refused = settings.images_path, len(archive.found.refused)
    if archive.failure:
        yield RunWarning("images_unreadable", path, f"`{path}`: {archive.failure}. No picture was read")
    if archive.found.is_cut:
        yield RunWarning("images_cut", path, f"`{path}`: {CUT}")
    if refused:
        message = f"Files of `{path}` became no image. The report says which and why"
        yield RunWarning("images_refused", path, message, count=refused)
