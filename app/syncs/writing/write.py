"""The step `write` of a sync: its files are examined, and their rows are staged in the overlay of the run."""

import asyncio
from collections.abc import Sequence

import msgspec

from app.errors import Fatal
from app.formats.records import Position
from app.runs.lifecycle import RunLost, Stopping
from app.runs.model import Run
from app.runs.summary import add_warnings
from app.runtime import Runtime
from app.storage import types
from app.storage.blobs import BlobDamaged
from app.storage.syncs import progress
from app.syncs.files import Role, SyncFile, load_files
from app.syncs.report import load_report
from app.syncs.settings import SyncSettings
from app.syncs.steps import load_run_settings
from app.syncs.writing.finish import finish_writing
from app.syncs.writing.reading import READING, Reading, build_rules, examine_files, load_reading
from app.syncs.writing.report import Counts
from app.syncs.writing.slice import SyncSlice
from app.syncs.writing.targets import TYPES, build_targets


async def write_files(runtime: Runtime, run: Run, stopping: Stopping) -> None:
    """Works for a slice: examines the files, then stages their rows, and lets the run go on after the last of them.

    Raises RunLost, Retryable, and Fatal for a file that cannot be read: then nothing of any file is written.
    """
    settings = load_run_settings(run)
    async with runtime.database.read() as session:
        files = await load_files(session, run.id, Role.ITEMS, Role.FILTERS)
    try:
        reading = load_reading(run)
        if reading is None:
            await keep_reading(runtime, run, files, settings)
            return
        slice_ = open_slice(runtime, run, files, settings, reading)
        if await slice_.write_files(stopping):
            await finish_writing(slice_, settings)
    except BlobDamaged:
        raise Fatal("source_damaged") from None


async def keep_reading(runtime: Runtime, run: Run, files: Sequence[SyncFile], settings: SyncSettings) -> None:
    """Examines the files, and stores how they are read and how many rows they have."""
    reading, found = await asyncio.to_thread(examine_files, runtime, files, settings)
    warnings = [dict(group) for group in run.warnings]
    add_warnings(warnings, found)
    values = {
        "plan": {**run.plan, READING: msgspec.to_builtins(reading)},
        "total": sum(file.rows for file in reading),
        "warnings": warnings,
    }
    async with runtime.database.transaction() as session:
        if taken := await types.find_existing(session, run.account_id, TYPES):
            names = ", ".join(f"`{name}`" for name in sorted(taken))
            raise Fatal("type_taken", f"The account has record types of its own that an item sync writes: {names}")
        if not await progress.change(session, run.id, run.attempt, run.step, values):
            raise RunLost


def open_slice(
    runtime: Runtime, run: Run, files: Sequence[SyncFile], settings: SyncSettings, reading: Reading
) -> SyncSlice:
    report = load_report(run)
    limits = {"key_limit": runtime.settings.max_key_characters, "record_limit": runtime.limits.record_bytes}
    return SyncSlice(
        runtime=runtime,
        run=run,
        targets=build_targets(run, replaces=settings.mode == "full", record_bytes=runtime.limits.record_bytes),
        rules=build_rules(settings, **limits),
        reading=reading,
        files={file.number: file for file in files},
        position=Position(run.at_offset, run.at_line, run.at_row),
        batches=run.batches,
        report=report,
        counts=Counts(report.entities),
        summary=[dict(group) for group in run.error_summary],
        warnings=[dict(group) for group in run.warnings],
    )
