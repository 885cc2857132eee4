"""The export engine: writes the records of a type into a file, from one snapshot of the database.

PostgreSQL writes the lines (COPY), and they go straight into a stored file, so that memory does not grow with them. A
file has its name only when it is complete: a worker that stops or dies leaves nothing that counts, and the next one
starts from the beginning. Claiming, giving back and every ending are in app.runs.lifecycle.
"""

import asyncio
import time
from typing import Final

from app.declarations.types import load_resource
from app.errors import Fatal
from app.exports.file_writer import FileWriter
from app.exports.layout import FileOptions, build_columns, format_header, load_file_options
from app.observe.events import ExportWritten, StepReached
from app.resources.schema import Resource
from app.runs.lifecycle import RunLost, Stopping, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.exports import progress, snapshot
from app.storage.exports.statement import (
    MOST_CELLS,
    Selection,
    count_records,
    list_members,
    select_cells,
    select_lines,
    select_objects,
)

PROGRESS_SECONDS: Final = 1.0  # between two updates of how many records are written
TOO_MANY_COLUMNS: Final = (
    "The records have more than {limit:,} different fields, which is the limit of columns in a file"
)
TOO_LONG: Final = "The file was not complete after {seconds:g} seconds, which is the limit"


async def work(runtime: Runtime, run: Run, _stopping: Stopping) -> bool:
    """Writes the file and ends the run. Raises RunLost, Fatal, Retryable."""
    options = load_file_options(run)
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, run.account_id, run.type)
    started = time.monotonic()
    file = await asyncio.to_thread(FileWriter, runtime, options)
    try:
        records = await write_in_time(runtime, run, resource, file, options)
        await keep_file(runtime, run, file, records)
    finally:
        await asyncio.to_thread(file.abort)
    seconds = time.monotonic() - started
    runtime.observe(ExportWritten(run.id, run.account_id, file.blob.size, records, seconds=seconds))
    return True


async def write_in_time(runtime: Runtime, run: Run, resource: Resource, file: FileWriter, options: FileOptions) -> int:
    """Returns the number of records. Raises Fatal if the snapshot would be held for too long."""
    seconds = runtime.settings.export_seconds
    try:
        async with asyncio.timeout(seconds), snapshot.open_snapshot(runtime.database) as session:
            return await write_records(RecordsWriter(runtime, run, session, file), resource, options)
    except TimeoutError:
        raise Fatal("export_too_long", TOO_LONG.format(seconds=seconds)) from None


class RecordsWriter:
    """The file of a run while a snapshot is copied into it, and how far that is."""

    def __init__(self, runtime: Runtime, run: Run, session: ReadSession, file: FileWriter) -> None:
        self.selection = Selection(run.account_id, run.type)
        self.session, self.file = session, file
        self.runtime, self._run = runtime, run
        self._progress_at = time.monotonic()
        self._process = 0

    async def begin(self) -> int:
        """Counts the records, and stores their number. Raises RunLost."""
        self.report_step("counting")
        (total,) = await snapshot.fetch_column(self.session, count_records(self.selection))
        self._process = await snapshot.find_server_process(self.session)
        async with self.runtime.database.transaction() as session:
            if not await progress.begin(session, self._run.id, self._run.attempt, total=total):
                raise RunLost
        self.report_step("counted")
        return int(total)

    async def write(self, data: bytes) -> None:
        """Takes what PostgreSQL has sent. Raises RunLost."""
        await self.file.add(data)
        self.report_step("copying")
        if time.monotonic() - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = time.monotonic()
        async with self.runtime.database.transaction() as session:
            if not await progress.move_on(session, self._run.id, self._run.attempt, process=self._process):
                raise RunLost

    def report_step(self, step: str) -> None:
        self.runtime.observe(StepReached(self._run.id, step))


async def write_records(writer: RecordsWriter, resource: Resource, options: FileOptions) -> int:
    """Returns their number. Raises RunLost, and Fatal if the file would not have as many records as there are."""
    total = await writer.begin()
    if options.format == "csv":
        copied = await write_cells(writer, resource, options)
    else:
        copied = await write_objects(writer, resource)
    writer.report_step("copied")
    if copied != total:
        raise Fatal("count_mismatch")
    return copied


async def write_cells(writer: RecordsWriter, resource: Resource, options: FileOptions) -> int:
    """Raises Fatal for more columns than a file may have."""
    most = writer.runtime.limits.columns
    members = await snapshot.fetch_column(writer.session, list_members(writer.selection, most + len(resource.fields)))
    columns = build_columns(resource, members)
    if len(columns) > most:
        raise Fatal("too_many_columns", TOO_MANY_COLUMNS.format(limit=most))
    await writer.write(format_header(columns, options.delimiter))
    sources = [each.source for each in columns]
    if len(columns) > MOST_CELLS:
        lines = select_lines(writer.selection, sources, options.delimiter)
        return await snapshot.copy_lines(writer.session, lines, writer.write)
    statement = select_cells(writer.selection, sources)
    return await snapshot.copy_cells(writer.session, statement, writer.write, delimiter=options.delimiter)


async def write_objects(writer: RecordsWriter, resource: Resource) -> int:
    key_member = resource.surrogate.id if resource.surrogate else None
    return await snapshot.copy_objects(writer.session, select_objects(writer.selection, key_member), writer.write)


async def keep_file(runtime: Runtime, run: Run, file: FileWriter, records: int) -> None:
    """Stores the file and ends the run, in one transaction. Raises RunLost."""
    blob = await file.commit()
    runtime.observe(StepReached(run.id, "kept"))
    values = {
        "blob": blob,
        "at_row": records,
        "blob_digests": file.blob.digests,
        "file_bytes": file.blob.size,
        "file_sha256": file.sha256,
    }
    async with runtime.database.transaction() as session:
        ours = await progress.store_file(session, run.id, run.attempt, values)
        finished = await end_run(session, run.id, run.attempt, State.FINISHED) if ours else None
    if finished is None:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise RunLost
    runtime.observe(StepReached(run.id, "finished"))
    announce_end(runtime, finished)
