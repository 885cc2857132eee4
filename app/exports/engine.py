"""The export engine: writes the records of a type into a file, from one snapshot of the database.

PostgreSQL writes the lines (COPY), and they go straight into a stored file, so that memory does not grow with them. A
file has its name only when it is complete: a worker that stops or dies leaves nothing that counts, and the next one
starts from the beginning. Claiming, giving back and every ending are in app.runs.lifecycle.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.errors import Fatal
from app.exports.deliver import deliver_file
from app.exports.file_writer import FileWriter
from app.exports.layout import load_file_options
from app.exports.order import ExportOrder, load_order
from app.exports.records import Exporting, Oddities, OddityMet, write_records
from app.observe.events import StepReached
from app.observe.export_events import ExportWritten
from app.runs.kinds import Step
from app.runs.lifecycle import RunLost, SourceAway, Stopping, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage.database import DatabaseShort
from app.storage.exports import progress, snapshot

WAITS: Final = (10.0, 60.0, 300.0, 900.0)  # seconds after the first try that PostgreSQL had no room for, and so on
NO_ROOM: Final = "PostgreSQL had no room for it at {tries} tries: {reason}"
TOO_LONG = "The file was not complete after {seconds:g} seconds, which is the limit"


class DatabaseAway(SourceAway):
    """PostgreSQL lacks something for this export."""

    part = "database"

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = seconds


async def work(runtime: Runtime, run: Run, _stopping: Stopping) -> bool:
    """Writes the file, or tries one of its destinations, and says whether that has ended the run. Raises RunLost,
    Fatal, DestinationAway, Retryable."""
    if run.step is Step.DELIVER:
        return await deliver_file(runtime, run)
    started, order = time.monotonic(), await load_order(runtime, run)
    oddities: Oddities | None = Oddities()
    with shortages_bounded(run):
        while oddities is not None:
            oddities = await write_file(runtime, run, order, started, oddities)
    return not run.destinations


@contextmanager
def shortages_bounded(run: Run) -> Iterator[None]:
    """What PostgreSQL lacks for this export may never come: it is tried some times, and each reads everything. Raises
    DatabaseAway, Fatal."""
    try:
        yield
    except DatabaseShort as short:
        if run.fetches >= len(WAITS):
            raise Fatal("export_no_room", NO_ROOM.format(tries=run.fetches + 1, reason=short)) from short
        raise DatabaseAway(str(short), WAITS[run.fetches]) from short


async def write_file(
    runtime: Runtime, run: Run, order: ExportOrder, started: float, known: Oddities
) -> Oddities | None:
    """Returns more oddities than the known ones if the file has to be written again because of them."""
    file = await asyncio.to_thread(FileWriter, runtime, load_file_options(run))
    try:
        records = await write_in_time(runtime, run, order, file, known)
        await keep_file(runtime, run, file, records)
    except OddityMet as met:
        return met.oddities
    finally:
        await file.abort()
    seconds = time.monotonic() - started
    runtime.observe(ExportWritten(run.id, run.account_id, file.blob.size, records, seconds=seconds))
    return None


async def write_in_time(runtime: Runtime, run: Run, order: ExportOrder, file: FileWriter, known: Oddities) -> int:
    """Returns the number of records. Raises Fatal if the snapshot would be held for too long."""
    seconds = runtime.settings.export_seconds
    try:
        async with asyncio.timeout(seconds), snapshot.open_snapshot(runtime.database) as session:
            return await write_records(Exporting(runtime, run, session, file, known), order)
    except TimeoutError:
        raise Fatal("export_too_long", TOO_LONG.format(seconds=seconds)) from None


async def keep_file(runtime: Runtime, run: Run, file: FileWriter, records: int) -> None:
    """Stores the file and, unless it has to be delivered, ends the run, in one transaction. Raises RunLost."""
    blob = await file.commit()
    runtime.observe(StepReached(run.id, "kept"))
    values = {
        "blob": blob,
        "at_row": records,
        "blob_digests": file.blob.digests,
        "file_bytes": file.blob.size,
        "file_sha256": file.sha256,
    }
    if run.destinations:
        values["step"] = Step.DELIVER
    async with runtime.database.transaction() as session:
        ours = await progress.store_file(session, run.id, run.attempt, values)
        ends = ours and not run.destinations
        finished = await end_run(session, run.id, run.attempt, State.FINISHED) if ends else None
    if not ours:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise RunLost
    runtime.observe(StepReached(run.id, "finished"))
    announce_end(runtime, finished)
