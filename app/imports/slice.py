"""Writes the rows of an import batch after batch: reads, checks, stages, merges and accounts for each.

Several batches are under way at a time: while one is merged the next are read, checked, staged and, if they cannot get
in each other's way, merged too. They commit in their order, or not at all (ADR 11).
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from app.declarations.types import build_resource, load_key_forms
from app.errors import Fatal, Refused
from app.formats import open_reader
from app.formats.records import Position, Reader
from app.imports.braking import CutShort, DirectBrakes, describe_stop, open_brakes
from app.imports.checking.findings import build_hints
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.merging.batch_merge import PreparedBatch, merge_batch, prepare_batch, stage_batch
from app.imports.merging.expectations import expect, expect_after, expect_hidden
from app.imports.merging.neighbours import BatchWrite, wait_to_merge
from app.imports.merging.record_clock import RecordClock
from app.imports.merging.references import count_names
from app.imports.merging.targets import build_target
from app.imports.plan import Options, Plan, load_options, load_plan
from app.imports.rows import BatchOutcome
from app.imports.staged.apply import finish_staging
from app.imports.staged.counts import counts_of, ensure_counts
from app.mappings.hints.giving import HintGiver
from app.observe.events import BatchWritten, StepReached
from app.resources.stored_keys import KeyForms
from app.runs import ledger, problems
from app.runs.lifecycle import RunLost, Stopping, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import add_problems, add_warnings
from app.runtime import Runtime
from app.storage import batches, claims
from app.storage.blobs import BlobMissing
from app.storage.database import Session
from app.storage.merge import MergeTarget

MOST_NAMES = 50_000  # of records that a batch may name, so that it stays small in memory and its transaction short
UNDER_WAY = 3  # batches that are written at a time, or two while another one is read; two with a small pool
LONGEST_SLICES = 5  # at most this many slice lengths, while no other run waits


@contextmanager
def open_slice(runtime: Runtime, run: Run, room: int | None = None) -> Iterator["Slice"]:
    """Opens the import's stored file and compiles its checks. Blocking: the file may have to be fetched. `room`: how
    many more records the account may have; None: any number. Raises Fatal if the file is gone or cannot be read."""
    plan, options, scope = load_plan(run), load_options(run), IdScope(run.account_id, seed=run.id)
    resource = build_resource(run.type, plan.declaration)
    try:
        file = runtime.blobs.open(run.blob or "", run.blob_digests)
    except BlobMissing:
        raise Fatal("source_missing") from None
    with file:
        reader = open_stored_file(file, plan, runtime)
        key_limit, record_limit = runtime.settings.max_key_characters, runtime.limits.record_bytes
        checker = RowChecker(resource, plan, options, id_scope=scope, key_limit=key_limit, record_limit=record_limit)
        yield Slice(
            runtime=runtime,
            run=run,
            reader=reader,
            checker=checker,
            options=options,
            target=build_target(runtime, run, flat=checker.is_flat),
            brakes=open_brakes(run, options, room),
            clock=RecordClock(run.heartbeat_at or run.created_at),
            position=Position(run.at_offset, run.at_line, run.at_row) if run.batches else reader.first,
            batches=run.batches,
            summary=[dict(group) for group in run.error_summary],
            hints=build_hints(resource, plan),
            warnings=[dict(group) for group in run.warnings],
        )


def open_stored_file(file: BinaryIO, plan: Plan, runtime: Runtime) -> Reader:
    """Raises Fatal if the stored file is no longer what was accepted."""
    try:
        return open_reader(file, plan.dialect, runtime.limits)
    except Refused as refused:
        raise Fatal("unreadable_file", refused.detail) from None


async def has_time(runtime: Runtime, started: float, batch_seconds: float) -> bool:
    """Whether another batch that takes so long fits into the slice that started then (monotonic seconds)."""
    spent = time.monotonic() + batch_seconds - started
    allowed = runtime.settings.slice_seconds
    if spent < allowed or spent > allowed * LONGEST_SLICES:
        return spent < allowed
    async with runtime.database.read() as session:
        return not await claims.anyone_waits(session)


def limit_batches(runtime: Runtime) -> int:
    """How many batches of an import may be written at a time, each with a connection. Transfers hold some, too, and two
    are kept free, since a lease that is not renewed in time counts as a crash."""
    settings = runtime.settings
    free = settings.database_pool - settings.fetches_at_once - 2
    return max(2, min(UNDER_WAY, free // settings.slices_at_once))


@dataclass(slots=True)
class Slice:
    """An open import, and how far it has come. Every method may raise RunLost and Halted."""

    runtime: Runtime
    run: Run
    reader: Reader
    checker: RowChecker
    options: Options
    target: MergeTarget
    brakes: DirectBrakes
    clock: RecordClock
    position: Position  # where the next batch begins
    batches: int  # how many are committed
    summary: list[dict[str, Any]]
    hints: HintGiver
    warnings: list[dict[str, Any]]
    max_rows: int = field(init=False)  # of a batch
    key_forms: Mapping[str, KeyForms] = field(default_factory=dict)  # how the records that a record may name are named
    batch_seconds: float = 0.0  # what the last batch took
    ended: Run | None = None  # once a row has failed that was to end the run

    def __post_init__(self) -> None:
        self.max_rows = min(self.runtime.settings.batch_rows, self.checker.max_rows)

    async def write_batches(self, stopping: Stopping) -> bool:
        """Writes batch after batch until the slice's time is up. Whether the last batch is written that is to be."""
        started = time.monotonic()
        async with self.runtime.database.read() as session:
            self.target = await expect(session, self.target, self.run)
            if self.checker.named_types:
                self.key_forms = await load_key_forms(session, self.run.account_id, self.checker.named_types)
        if self.options.on_error == "stop":
            return await self.write_until_failure(stopping, started)
        reading: asyncio.Task[PreparedBatch] | None = self.start_reading(self.position)
        writing: list[BatchWrite] = []
        most = limit_batches(self.runtime)
        try:
            while reading is not None:
                prepared = await reading
                writing.append(self.start_writing(prepared, tuple(writing)))
                if len(writing) == most:
                    await writing.pop(0).done
                more = (
                    not prepared.checked.last
                    and not stopping()
                    and await has_time(self.runtime, started, self.batch_seconds)
                )
                reading = self.start_reading(prepared.checked.end) if more else None
            await writing[-1].done
            return prepared.checked.last
        finally:
            under_way = [*(batch.done for batch in writing), *([reading] if reading else [])]
            await asyncio.gather(*under_way, return_exceptions=True)

    async def write_until_failure(self, stopping: Stopping, started: float) -> bool:
        """The same, but one batch at a time: none may be written after the row that ends the run."""
        max_rows, last = self.max_rows, False
        while not last:
            prepared = await asyncio.to_thread(self.read_batch, self.position)
            try:
                await self.write_batch(prepared, (), asyncio.Event())
            except CutShort as cut:
                self.max_rows = cut.rows
                continue
            self.max_rows, last = max_rows, prepared.checked.last or self.ended is not None
            if not last and (stopping() or not await has_time(self.runtime, started, self.batch_seconds)):
                return False
        return True

    def start_reading(self, start: Position) -> asyncio.Task[PreparedBatch]:
        return asyncio.create_task(asyncio.to_thread(self.read_batch, start))

    def start_writing(self, prepared: PreparedBatch, before: Sequence[BatchWrite]) -> BatchWrite:
        return BatchWrite(prepared, lambda merged: self.write_batch(prepared, before, merged))

    def read_batch(self, start: Position) -> PreparedBatch:
        """Reads and checks the batch that begins at `start`. Blocking."""
        while True:
            batch = self.reader.read(start, max_rows=self.max_rows, max_bytes=self.runtime.settings.batch_bytes)
            if self.options.on_error == "stop":
                batch.keep_first(self.max_rows)  # if there are more, one of these has failed and ends the run
            checked, rows = self.checker.check_batch(batch), batch.end.row - batch.start.row
            names = count_names(checked.references)
            if names <= MOST_NAMES or min(rows, self.max_rows) <= 1:
                return prepare_batch(checked, self.clock.reserve(rows), self.target.type, self.key_forms)
            self.max_rows = max(1, min(rows * MOST_NAMES // names, self.max_rows // 2))  # what follows is mostly alike

    async def write_batch(self, prepared: PreparedBatch, before: Sequence[BatchWrite], merged: asyncio.Event) -> None:
        """Writes records, counts, problems and cursor of one batch in one transaction, which commits after those of the
        batches `before` it. Sets `merged` as soon as it will lock no further record."""
        started = time.monotonic()
        self.report_step("read")
        async with self.runtime.database.transaction() as session:
            await stage_batch(session, prepared)
            self.report_step("staged")
            sees_all = await wait_to_merge(session, self.target, prepared, before)
            target = self.target if sees_all else expect_hidden(self.target)
            outcome = await merge_batch(session, target, prepared, self.options)
            self.report_step("merged")
            self.target = expect_after(self.target, outcome)
            merged.set()
            if before:
                await before[-1].done
            stop = describe_stop(prepared.checked, outcome, self.brakes) if self.options.on_error == "stop" else None
            tally = self.brakes.check(outcome, prepared.checked.start.row)
            await self.account_for(session, prepared, outcome)
            self.report_step("accounted")
            if stop is not None:  # the counts have moved with our attempt, so the run is still ours
                ending = {"code": "row_failed", "detail": stop}
                self.ended = await end_run(session, self.run.id, self.run.attempt, State.FAILED, **ending)
        self.report_step("committed")
        self.batches, self.position, self.brakes.tally = self.batches + 1, prepared.checked.end, tally
        self.batch_seconds = time.monotonic() - started
        self.runtime.observe(
            BatchWritten(self.run.id, self.run.attempt, self.batches, **counts_of(outcome), seconds=self.batch_seconds)
        )

    async def account_for(self, session: Session, prepared: PreparedBatch, outcome: BatchOutcome) -> None:
        """Writes the ledger row and moves the counts and the cursor, if the run is still ours."""
        checked, number = prepared.checked, self.batches + 1
        outcome.problems.sort(key=lambda problem: problem.row)
        add_problems(self.summary, outcome.problems)
        self.hints.give(self.summary)
        add_warnings(self.warnings, outcome.warnings)
        batch = {"run_id": self.run.id, "attempt": self.run.attempt, "number": number, **counts_of(outcome)}
        packed = {
            "problem_count": len(outcome.problems),
            "problems": problems.pack(outcome.problems),
            "outcomes": outcome.pack_fates(checked.start, checked.end),
            "created_rows": self.pack_lists(outcome),
        }
        await batches.add(session, {**batch, **cursor_at(checked.start), **packed})
        self.report_step("ledger")
        report = {"error_summary": to_json(self.summary), "warnings": to_json(self.warnings)}
        lease = {"lease": self.runtime.settings.lease_seconds}
        if not await batches.advance(session, {**batch, **cursor_at(checked.end), **report, **lease}):
            raise RunLost

    def pack_lists(self, outcome: BatchOutcome) -> bytes | None:
        """For an API of release 0.1, which reports on some imports row by row."""
        if not self.options.ledger:
            return None
        return ledger.pack_lists(outcome.created_rows, outcome.superseded_rows)

    async def finish(self) -> bool:
        """Ends the run, provided that its batches add up to what was accepted, or lets its overlay be applied. Returns
        whether it has ended or is held. Raises Fatal if they do not add up."""
        self.report_step("finishing")
        if self.ended is not None:
            announce_end(self.runtime, self.ended)
            return True
        if self.target.staged:
            held = await finish_staging(self.runtime, self.run, self.target, self.options)
            self.report_step("staging finished")
            return held
        async with self.runtime.database.transaction() as session:
            await ensure_counts(session, self.run)
            finished = await end_run(session, self.run.id, self.run.attempt, State.FINISHED)
            if finished is None:
                raise RunLost
        self.report_step("finished")
        announce_end(self.runtime, finished)
        return True

    def report_step(self, step: str) -> None:
        """Reports a named step; the fault tests stop the process at each of them."""
        self.runtime.observe(StepReached(self.run.id, step))


def cursor_at(position: Position) -> dict[str, int]:
    return {"at_offset": position.offset, "at_line": position.line, "at_row": position.row}


def to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
