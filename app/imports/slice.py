"""What a slice of an import holds open, and how it writes one batch after the other.

Two batches are under way at a time: while one is merged the next is read, checked, staged and, if they cannot get in
each other's way, merged too. They end in their order, or not at all (ADR 11).
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import msgspec

from app.declarations.types import build_resource
from app.errors import Fatal, Refused
from app.formats import open_reader
from app.formats.records import Position, Reader
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.merging.batch_merge import (
    PreparedBatch,
    is_other_import_open,
    merge_batch,
    prepare_batch,
    stage_batch,
)
from app.imports.plan import Options, Plan, load_options, load_plan
from app.imports.rows import BatchOutcome
from app.observe.events import BatchWritten, StepReached
from app.resources.schema import Resource
from app.runs import ledger, problems
from app.runs.lifecycle import RunLost, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import add_problems, add_warnings
from app.runtime import Runtime
from app.storage import batches, claims, runs
from app.storage.blobs import BlobMissing
from app.storage.database import Session
from app.storage.merge import MergeTarget, Mode

COUNTS = ("created", "updated", "unchanged", "skipped", "failed")
ALONE = 5  # times the slice's length, while nobody else waits


@dataclass(slots=True)
class Slice:
    """What a slice holds open, and where it is."""

    runtime: Runtime
    run: Run
    reader: Reader
    check: RowChecker
    options: Options
    target: MergeTarget
    clock: "Clock"
    position: Position
    number: int
    summary: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    batch_seconds: float = 0.0

    async def write_batches(self, stopping: Callable[[], bool]) -> bool:
        """Batch after batch until the time is up. Whether the last one is written. Raises RunLost."""
        began = time.monotonic()
        reading: asyncio.Task[PreparedBatch] | None = self.read_ahead(self.position)
        turns: list[Turn] = []
        try:
            while reading is not None:
                prepared = await reading
                turns.append(Turn(self, prepared, turns[-1] if turns else None))
                if len(turns) > 1:
                    await turns.pop(0).done
                more = not prepared.checked.last and not stopping() and await self.has_time(began)
                reading = self.read_ahead(prepared.checked.end) if more else None
            await turns[-1].done
            return prepared.checked.last
        finally:
            under_way = [*(turn.done for turn in turns), *([reading] if reading else [])]
            await asyncio.gather(*under_way, return_exceptions=True)

    async def has_time(self, began: float) -> bool:
        """Whether another batch fits into the slice that began then (monotonic seconds)."""
        spent, allowed = time.monotonic() + self.batch_seconds - began, self.runtime.settings.slice_seconds
        if spent < allowed or spent > allowed * ALONE:
            return spent < allowed
        async with self.runtime.database.read() as session:
            return not await claims.anyone_waits(session)

    def read_ahead(self, start: Position) -> asyncio.Task[PreparedBatch]:
        return asyncio.create_task(asyncio.to_thread(self.read, start))

    def read(self, start: Position) -> PreparedBatch:
        """Reads and checks the batch that begins at `start`. Blocking."""
        settings = self.runtime.settings
        rows = min(settings.batch_rows, self.check.max_rows)
        batch = self.reader.read(start, max_rows=rows, max_bytes=settings.batch_bytes)
        return prepare_batch(self.check.check_batch(batch), self.clock.take(batch.end.row - batch.start.row))

    async def write(self, prepared: PreparedBatch, before: "Turn | None", merged: asyncio.Event) -> None:
        """Writes records, counts, problems and cursor of one batch in one transaction, after the batch `before`.
        Sets `merged` when no further record will be locked. Raises RunLost."""
        began = time.monotonic()
        self.reached("read")
        async with self.runtime.database.transaction() as session:
            await stage_batch(session, prepared)
            self.reached("staged")
            if before is not None:
                await self.wait_for(before, prepared, session)
            outcome = await merge_batch(session, self.target, prepared, self.options)
            self.reached("merged")
            merged.set()
            if before is not None:
                await before.done
            await self.account_for(session, prepared, outcome)
            self.reached("accounted")
        self.reached("committed")
        self.number, self.position = self.number + 1, prepared.checked.end
        self.batch_seconds = time.monotonic() - began
        counts = {name: getattr(outcome, name) for name in COUNTS}
        self.runtime.observe(
            BatchWritten(self.run.id, self.run.attempt, self.number, **counts, seconds=self.batch_seconds)
        )

    async def wait_for(self, before: "Turn", prepared: PreparedBatch, session: Session) -> None:
        """Until the batch may be merged. One that looks at records before it merges has to see those of the batch
        before it. Others wait for its merge, unless they share no key with it and no other import of the type is open:
        then nobody can wait for both of them in a circle, and they are merged at the same time."""
        if prepared.copy_text is None:
            await before.done
        elif not before.keys.isdisjoint(prepared.checked.keys) or await is_other_import_open(session, self.target):
            await before.merged.wait()

    async def account_for(self, session: Session, prepared: PreparedBatch, outcome: BatchOutcome) -> None:
        """The ledger's row, the counts and the cursor, for as long as the run is ours. Raises RunLost."""
        checked, number = prepared.checked, self.number + 1
        outcome.problems.sort(key=lambda problem: problem.row)
        add_problems(self.summary, outcome.problems)
        add_warnings(self.warnings, outcome.warnings)
        counts = {name: getattr(outcome, name) for name in COUNTS}
        start = {"at_offset": checked.start.offset, "at_line": checked.start.line, "at_row": checked.start.row}
        end = {"at_offset": checked.end.offset, "at_line": checked.end.line, "at_row": checked.end.row}
        whose = {"run_id": self.run.id, "attempt": self.run.attempt, "number": number}
        packed = {
            "problem_count": len(outcome.problems),
            "problems": problems.pack(outcome.problems),
            "created_rows": ledger.pack(outcome.created_rows, outcome.superseded_rows) if self.options.ledger else None,
        }
        await batches.add(session, whose | counts | start | packed)
        self.reached("ledger")
        told = {"error_summary": as_json(self.summary), "warnings": as_json(self.warnings)}
        lease = {"lease": self.runtime.settings.lease_seconds}
        if not await batches.advance(session, whose | counts | end | told | lease):
            raise RunLost

    async def finish(self) -> None:
        """Ends the run, if what its batches add up to is what was accepted. Raises RunLost or Fatal."""
        self.reached("finishing")
        async with self.runtime.database.transaction() as session:
            row = await runs.get(session, self.run.account_id, self.run.id)
            sums = await batches.sums(session, self.run.id)
            if row is None:
                raise RunLost
            if any(row[name] != sums[name] for name in COUNTS) or row["total"] != sum(sums[name] for name in COUNTS):
                raise Fatal("count_mismatch")
            finished = await end_run(session, self.run.id, self.run.attempt, State.FINISHED)
            if finished is None:
                raise RunLost
        self.reached("finished")
        announce_end(self.runtime, finished)

    def reached(self, step: str) -> None:
        """Says that a named step was reached; the fault tests stop the process at each of them."""
        self.runtime.observe(StepReached(self.run.id, step))


class Clock:
    """PostgreSQL's time as far as it is known here, given out in microseconds that are never the same twice."""

    def __init__(self, now: datetime) -> None:
        self._now, self._began, self._taken = now, time.monotonic(), now

    def take(self, count: int) -> datetime:
        """The first of `count` microseconds that follow each other."""
        first = max(self._taken, self._now + timedelta(seconds=time.monotonic() - self._began))
        self._taken = first + timedelta(microseconds=count)
        return first


class Turn:
    """One batch on its way into the store."""

    def __init__(self, slice_: Slice, prepared: PreparedBatch, before: "Turn | None") -> None:
        self.merged = asyncio.Event()
        self.keys = frozenset(prepared.checked.keys)
        self.done = asyncio.create_task(slice_.write(prepared, before, self.merged))
        # Whoever waits for the merge goes on when there will be none, and then hears of it from `done`.
        self.done.add_done_callback(lambda _: self.merged.set())


@contextmanager
def open_slice(runtime: Runtime, run: Run) -> Iterator[Slice]:
    """Opens the run's file and compiles its checks. Raises Fatal when the file is gone."""
    plan, options = load_plan(run), load_options(run)
    resource = build_resource(run.type, plan.declaration)
    try:
        file = runtime.blobs.open(run.blob or "")
    except BlobMissing:
        raise Fatal("source_missing") from None
    mode: Mode = "fill" if options.only_empty else "overwrite" if options.override_existing else "keep"
    once = options.duplicates != "last"
    with file:
        reader = readable(file, plan, runtime)
        whose = IdScope(run.account_id, run.id)
        check = RowChecker(resource, plan, options, id_scope=whose, key_limit=runtime.settings.max_key_characters)
        fixed = fixed_field(resource, plan)
        yield Slice(
            runtime,
            run,
            reader,
            check,
            options,
            MergeTarget(
                *(run.account_id, run.type, run.id, run.seq),
                mode,
                once=once,
                fixed=fixed,
                flat=check.is_flat,
                ledger=options.ledger,
            ),
            Clock(run.heartbeat_at or run.created_at),
            Position(run.at_offset, run.at_line, run.at_row) if run.batches else reader.first,
            run.batches,
            [dict(each) for each in run.error_summary],
            [dict(each) for each in run.warnings],
        )


def fixed_field(resource: Resource, plan: Plan) -> str | None:
    """The field that has to be watched. Where records are found by what it holds it cannot differ, unless a row may
    name its record by the id."""
    surrogate = resource.surrogate
    if surrogate is not None and all(column.field != surrogate.id for column in plan.columns):
        return None
    return resource.fixed


def readable(file: BinaryIO, plan: Plan, runtime: Runtime) -> Reader:
    """A reader on the stored file. Raises Fatal when it is not any more what was accepted."""
    try:
        return open_reader(file, plan.dialect, runtime.limits)
    except Refused as wrong:
        raise Fatal("unreadable_file", wrong.detail) from None


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
