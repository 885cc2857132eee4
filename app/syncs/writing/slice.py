"""Stages the rows of a sync: reads its files one after the other, batch after batch, and accounts for each.

While one batch is written the next is read and checked. A batch never holds rows of two files.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from app.errors import Fatal, Refused
from app.formats.records import Position, Reader
from app.imports.rows import BatchOutcome
from app.imports.slice import cursor_at, has_time, to_json
from app.imports.staged.counts import counts_of
from app.observe.events import BatchWritten, StepReached
from app.runs import problems
from app.runs.lifecycle import RunLost, Stopping
from app.runs.model import Run
from app.runs.summary import add_problems, add_warnings
from app.runtime import Runtime
from app.storage import batches
from app.storage.database import Session
from app.storage.syncs import progress
from app.syncs.files import SyncFile
from app.syncs.report import SyncReport, report_to_json
from app.syncs.rows.filter_rows import CheckedFilters, FilterRows
from app.syncs.rows.item_rows import ItemRows
from app.syncs.rows.rules import RowRules
from app.syncs.rows.sync_file import open_rows
from app.syncs.writing.filter_batch import stage_filters
from app.syncs.writing.item_batch import PreparedItems, prepare_items, stage_items
from app.syncs.writing.reading import ReadFile, Reading, open_stored
from app.syncs.writing.repeats import describe_repeats
from app.syncs.writing.report import Counts
from app.syncs.writing.targets import Targets


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """A batch on its way: where it begins and ends in its file, and what is to be staged."""

    start: Position
    end: Position
    last: bool
    work: PreparedItems | CheckedFilters


@dataclass(frozen=True, slots=True)
class OpenedRows:
    """A file with rows, opened."""

    file: ReadFile
    reader: Reader
    rows: ItemRows | FilterRows

    def start_at(self, position: Position) -> Position:
        """Where to go on in the file, by the cursor of the run."""
        if position.offset <= self.file.first_byte:
            first = self.reader.first
            return Position(first.offset, first.line, self.file.first_row)
        return Position(position.offset - self.file.first_byte, position.line, position.row)

    def read_batch(self, start: Position, max_rows: int, max_bytes: int) -> PreparedRows:
        """Blocking."""
        batch = self.reader.read(start, max_rows=min(max_rows, self.rows.max_rows), max_bytes=max_bytes)
        checked = self.rows.check(batch)
        work = checked if isinstance(checked, CheckedFilters) else prepare_items(checked)
        return PreparedRows(batch.start, batch.end, batch.last, work)


@dataclass(slots=True)
class SyncSlice:
    """The files of a run, and how far they are staged. Every method may raise RunLost."""

    runtime: Runtime
    run: Run
    targets: Targets
    rules: RowRules
    reading: Reading
    files: dict[int, SyncFile]  # by number
    position: Position  # of the run's cursor
    batches: int  # how many are committed
    report: SyncReport
    counts: Counts
    summary: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    batch_seconds: float = 0.0  # what the last batch took

    async def write_files(self, stopping: Stopping) -> bool:
        """Stages batch after batch until the slice's time is up. Whether the last row of all files is staged."""
        started = time.monotonic()
        for file in [each for each in self.reading if self.position.offset < each.end.offset]:
            stored = await asyncio.to_thread(open_stored, self.runtime, self.files[file.number])
            with stored:
                opened = await asyncio.to_thread(self.open_file, file, stored)
                if not await self.write_file(opened, stopping, started):
                    return False
        return True

    def open_file(self, file: ReadFile, stored: BinaryIO) -> OpenedRows:
        """Raises Fatal if the stored file is no longer what was examined. Blocking."""
        try:
            reader, rows = open_rows(stored, file.role, file.dialect, rules=self.rules, limits=self.runtime.limits)
        except Refused as refused:
            raise Fatal("unreadable_file", f"The file `{file.path}` cannot be read. {refused.detail}") from None
        return OpenedRows(file, reader, rows)

    async def write_file(self, opened: OpenedRows, stopping: Stopping, started: float) -> bool:
        """Whether the last row of the file is staged."""
        reading = self.start_reading(opened, opened.start_at(self.position))
        try:
            while reading is not None:
                prepared = await reading
                more = (
                    not prepared.last and not stopping() and await has_time(self.runtime, started, self.batch_seconds)
                )
                reading = self.start_reading(opened, prepared.end) if more else None
                await self.write_batch(opened.file, prepared)
        finally:
            if reading is not None:
                await asyncio.gather(reading, return_exceptions=True)
        return prepared.last

    def start_reading(self, opened: OpenedRows, start: Position) -> asyncio.Task[PreparedRows] | None:
        settings = self.runtime.settings
        return asyncio.create_task(
            asyncio.to_thread(opened.read_batch, start, settings.batch_rows, settings.batch_bytes)
        )

    async def write_batch(self, file: ReadFile, prepared: PreparedRows) -> None:
        """Stages records and writes counts, problems and cursor of one batch in one transaction."""
        started = time.monotonic()
        self.report_step("read")
        async with self.runtime.database.transaction() as session:
            if isinstance(prepared.work, CheckedFilters):
                outcome = await stage_filters(session, self.targets, prepared.work, self.counts)
            else:
                outcome = await stage_items(session, self.targets, prepared.work, self.counts)
            self.report_step("merged")
            end = await self.account_for(session, file, prepared, outcome)
            self.report_step("accounted")
        self.report_step("committed")
        self.batches, self.position = self.batches + 1, end
        self.batch_seconds = time.monotonic() - started
        self.runtime.observe(
            BatchWritten(self.run.id, self.run.attempt, self.batches, **counts_of(outcome), seconds=self.batch_seconds)
        )

    async def account_for(
        self, session: Session, file: ReadFile, prepared: PreparedRows, outcome: BatchOutcome
    ) -> Position:
        """Writes the ledger row and moves the counts and the cursor, if the run is still ours. Returns the cursor."""
        outcome.problems = [
            replace(each, file=file.path) for each in sorted(outcome.problems, key=lambda each: each.row)
        ]
        add_problems(self.summary, outcome.problems, file=file.path)
        found = [*outcome.warnings, *describe_repeats(self.reading, outcome.repeated)]
        add_warnings(self.warnings, found, file=file.path)
        self.report.entities = self.counts.entities
        batch = {"run_id": self.run.id, "attempt": self.run.attempt, "number": self.batches + 1, **counts_of(outcome)}
        packed = {
            "problem_count": len(outcome.problems),
            "problems": problems.pack(outcome.problems),
            "created_rows": None,
        }
        start = Position(file.first_byte + prepared.start.offset, prepared.start.line, prepared.start.row)
        end = Position(file.first_byte + prepared.end.offset, prepared.end.line, prepared.end.row)
        end = file.end if prepared.last else end
        await batches.add(session, {**batch, **cursor_at(start), **packed})
        told = {"error_summary": to_json(self.summary), "warnings": to_json(self.warnings)}
        lease = {"lease": self.runtime.settings.lease_seconds}
        moved = await batches.advance(session, {**batch, **cursor_at(end), **told, **lease})
        report = {"report": report_to_json(self.report)}
        if not moved or not await progress.change(session, self.run.id, self.run.attempt, self.run.step, report):
            raise RunLost
        return end

    def report_step(self, step: str) -> None:
        """Reports a named step; the fault tests stop the process at each of them."""
        self.runtime.observe(StepReached(self.run.id, step))
