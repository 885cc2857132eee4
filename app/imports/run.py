"""Works off one slice of a run: the order of the stages, told once.

A slice lasts about two seconds. It claims the run, writes batch after batch, each in one transaction with its counts,
its problems and the cursor, and gives the run back at the end of the queue, so imports take turns and a worker can stop
or die at any step without a row being lost or counted twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from app.errors import Fatal, Refused
from app.formats import open_reader
from app.formats.records import Position, Reader
from app.imports.plan import Options, Plan, options_from, plan_from
from app.imports.rows import Outcome
from app.imports.stages.report import add_problems, add_warnings
from app.imports.stages.upsert import Prepared, prepare, write
from app.imports.stages.validate import RowCheck
from app.imports.types import resource_from
from app.jobs.kinds import IMPORT_SLICE
from app.observe.events import BatchWritten, RunEnded, SliceBroke, SliceClaimed, SliceLost, StepReached
from app.observe.logs import kind, trace
from app.runs import problems
from app.runs.model import Run, RunId, run_from
from app.runtime import Runtime
from app.storage import batches, claims, runs
from app.storage.blobs import BlobMissing
from app.storage.database import DatabaseUnavailable, Session
from app.storage.merge import Mode, Target

COUNTS = ("created", "updated", "unchanged", "skipped", "failed")
ALONE = 5  # times the slice's length, while nobody else waits
BACKOFF_SECONDS = 2.0  # a run that crashed waits up to this, times its crashes


class Lost(Exception):
    """Another worker holds the run by now; nothing of what was being written may stay."""


async def run_slice(runtime: Runtime, run_id: RunId, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Works on the run for about SLICE_SECONDS, unless it has ended, is not due or is being worked on.

    While no other run waits it goes on up to ALONE times as long, because each new slice costs a tenth of a second in
    which PostgreSQL has nothing to do. `stopping` says that the process wants to end: then no new batch is begun.
    """
    async with runtime.database.transaction() as session:
        row = await claims.claim(session, run_id, lease=runtime.settings.lease_seconds)
    if row is None:
        return
    run = run_from(row)
    runtime.observe(SliceClaimed(run.id, run.attempt, run.at_row))
    try:
        async with kept_alive(runtime, run):
            ended = await work(runtime, run, stopping)
    except Lost:
        runtime.observe(SliceLost(run.id, run.attempt))
    except Fatal as fatal:
        await fail(runtime, run, fatal)
    except asyncio.CancelledError:
        await asyncio.shield(give_back(runtime, run))
        raise
    except Exception as trouble:  # noqa: BLE001  whatever it is, it is counted as a crash of this run
        await broke(runtime, run, trouble)
    else:
        if not ended:
            await give_back(runtime, run)


async def work(runtime: Runtime, run: Run, stopping: Callable[[], bool]) -> bool:
    """Writes batches until the slice's time is up. Whether the run has ended."""
    with opened(runtime, run) as slice_:
        if not await slice_.write_batches(stopping):
            return False
        await slice_.finish()
    return True


@dataclass(slots=True)
class Slice:
    """What a slice holds open, and where it is."""

    runtime: Runtime
    run: Run
    reader: Reader
    check: RowCheck
    options: Options
    target: Target
    position: Position
    number: int
    summary: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    batch_seconds: float = 0.0

    async def write_batches(self, stopping: Callable[[], bool]) -> bool:
        """Batch after batch until the time is up. Whether the last one is written. Raises Lost."""
        began = time.monotonic()
        upcoming: asyncio.Task[Prepared] | None = self.read_ahead(self.position)
        try:
            while upcoming is not None:
                prepared = await upcoming
                # While PostgreSQL merges this batch, a thread reads and checks the next, if there is time for it.
                more = not prepared.checked.last and not stopping() and await self.has_time(began)
                upcoming = self.read_ahead(prepared.checked.end) if more else None
                await self.commit(prepared)
            return prepared.checked.last
        finally:
            if upcoming is not None:
                await asyncio.gather(upcoming, return_exceptions=True)

    async def has_time(self, began: float) -> bool:
        """Whether another batch fits into the slice that began then (monotonic seconds)."""
        spent, allowed = time.monotonic() + self.batch_seconds - began, self.runtime.settings.slice_seconds
        if spent < allowed or spent > allowed * ALONE:
            return spent < allowed
        async with self.runtime.database.read() as session:
            return not await claims.anyone_waits(session)

    def read_ahead(self, start: Position) -> asyncio.Task[Prepared]:
        return asyncio.create_task(asyncio.to_thread(self.read, start))

    def read(self, start: Position) -> Prepared:
        """Reads and checks the batch that begins at `start`. Blocking."""
        settings = self.runtime.settings
        batch = self.reader.read(start, max_rows=settings.batch_rows, max_bytes=settings.batch_bytes)
        return prepare(self.check.check(batch))

    async def commit(self, prepared: Prepared) -> None:
        """Writes records, counts, problems and cursor of one batch in one transaction. Raises Lost."""
        began = time.monotonic()
        self.reached("read")
        async with self.runtime.database.transaction() as session:
            outcome = await write(session, self.target, prepared, self.options, reached=self.reached)
            await self.account_for(session, prepared, outcome)
            self.reached("accounted")
        self.reached("committed")
        self.number, self.position = self.number + 1, prepared.checked.end
        self.batch_seconds = time.monotonic() - began
        counts = {name: getattr(outcome, name) for name in COUNTS}
        self.runtime.observe(
            BatchWritten(self.run.id, self.run.attempt, self.number, **counts, seconds=self.batch_seconds)
        )

    async def account_for(self, session: Session, prepared: Prepared, outcome: Outcome) -> None:
        """The ledger's row, the counts and the cursor, for as long as the run is ours. Raises Lost."""
        checked, number = prepared.checked, self.number + 1
        outcome.problems.sort(key=lambda problem: problem.row)
        add_problems(self.summary, outcome.problems)
        add_warnings(self.warnings, outcome.warnings)
        counts = {name: getattr(outcome, name) for name in COUNTS}
        start = {"at_offset": checked.start.offset, "at_line": checked.start.line, "at_row": checked.start.row}
        end = {"at_offset": checked.end.offset, "at_line": checked.end.line, "at_row": checked.end.row}
        whose = {"run_id": self.run.id, "attempt": self.run.attempt, "number": number}
        packed = {"problem_count": len(outcome.problems), "problems": problems.pack(outcome.problems)}
        await batches.add(session, whose | counts | start | packed)
        self.reached("ledger")
        told = {"error_summary": as_json(self.summary), "warnings": as_json(self.warnings)}
        lease = {"lease": self.runtime.settings.lease_seconds}
        if not await batches.advance(session, whose | counts | end | told | lease):
            raise Lost

    async def finish(self) -> None:
        """Ends the run, if what its batches add up to is what was accepted. Raises Lost or Fatal."""
        self.reached("finishing")
        async with self.runtime.database.transaction() as session:
            row = await runs.get(session, self.run.account_id, self.run.id)
            sums = await batches.sums(session, self.run.id)
            if row is None:
                raise Lost
            if any(row[name] != sums[name] for name in COUNTS) or row["total"] != sum(sums[name] for name in COUNTS):
                raise Fatal("count_mismatch")
            if not await batches.finish(session, self.run.id, self.run.attempt):
                raise Lost
        self.reached("finished")
        run = run_from(row)
        self.runtime.observe(RunEnded(run.id, run.account_id, "finished", None, run.total, run.success, run.failed))

    def reached(self, step: str) -> None:
        """Says that a named step was reached; the fault tests stop the process at each of them."""
        self.runtime.observe(StepReached(self.run.id, step))


@contextmanager
def opened(runtime: Runtime, run: Run) -> Iterator[Slice]:
    """Opens the run's file and compiles its checks. Raises Fatal when the file is gone."""
    plan, options = plan_from(run.plan), options_from(run.options)
    resource = resource_from(run.type, plan.declaration)
    try:
        file = runtime.blobs.open(run.blob or "")
    except BlobMissing:
        raise Fatal("source_missing") from None
    mode: Mode = "fill" if options.only_empty else "overwrite" if options.override_existing else "keep"
    once = options.duplicates != "last"
    with file:
        reader = readable(file, plan, runtime)
        check = RowCheck(resource, plan, options, key_limit=runtime.settings.max_key_characters)
        whose = (run.account_id, run.type, run.id, run.seq)
        yield Slice(
            runtime,
            run,
            reader,
            check,
            options,
            Target(*whose, mode, once=once, fixed=resource.fixed, flat=check.flat),
            Position(run.at_offset, run.at_line, run.at_row) if run.batches else reader.first,
            run.batches,
            [dict(each) for each in run.error_summary],
            [dict(each) for each in run.warnings],
        )


def readable(file: BinaryIO, plan: Plan, runtime: Runtime) -> Reader:
    """A reader on the stored file. Raises Fatal when it is not any more what was accepted."""
    try:
        return open_reader(file, plan.dialect, runtime.limits)
    except Refused as wrong:
        raise Fatal("unreadable_file", wrong.detail) from None


@asynccontextmanager
async def kept_alive(runtime: Runtime, run: Run) -> AsyncIterator[None]:
    """Renews the lease for as long as the block runs."""
    renewing = asyncio.create_task(renew(runtime, run))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def renew(runtime: Runtime, run: Run) -> None:
    """Until the run is not ours any more: then the next commit will find out, too."""
    lease, ours = runtime.settings.lease_seconds, True
    while ours:
        await asyncio.sleep(lease / 3)
        try:
            async with runtime.database.transaction() as session:
                ours = await claims.renew(session, run.id, run.attempt, lease=lease)
        except DatabaseUnavailable:
            continue


async def give_back(runtime: Runtime, run: Run) -> None:
    """Puts the run at the end of the queue. When that cannot be done the lease runs out and the sweeper does it."""
    try:
        async with runtime.database.transaction() as session:
            ours = await claims.release(session, run.id, run.attempt)
    except DatabaseUnavailable:
        return
    runtime.observe(StepReached(run.id, "released"))
    if ours:
        await runtime.ring(IMPORT_SLICE, run.id, run.attempt)


async def broke(runtime: Runtime, run: Run, trouble: Exception) -> None:
    """Notes that a slice broke, on PostgreSQL or on something nobody expected; after too many in one spot the run
    fails. When the note cannot be written the lease runs out and the sweeper counts the crash."""
    runtime.observe(SliceBroke(run.id, run.attempt, kind(trouble), trace(trouble)))
    with suppress(DatabaseUnavailable):
        async with runtime.database.transaction() as session:
            row = await claims.fault(session, run.id, run.attempt, backoff=BACKOFF_SECONDS)
            await fail_if_hopeless(session, runtime, row)


async def fail_if_hopeless(session: Session, runtime: Runtime, row: Any) -> None:
    """Ends a run that has crashed too often without getting any further."""
    if row is None or row["crashes"] < runtime.settings.max_crashes:
        return
    told = f"The worker crashed {row['crashes']} times in a row on the same part of this file"
    if await claims.fail(session, row["id"], row["attempt"], code="worker_crashed", detail=told):
        runtime.observe(RunEnded(row["id"], row["account_id"], "failed", "worker_crashed", None, 0, 0))


async def fail(runtime: Runtime, run: Run, fatal: Fatal) -> None:
    async with runtime.database.transaction() as session:
        if await claims.fail(session, run.id, run.attempt, code=fatal.code, detail=fatal.detail):
            runtime.observe(RunEnded(run.id, run.account_id, "failed", fatal.code, run.total, run.success, run.failed))


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
