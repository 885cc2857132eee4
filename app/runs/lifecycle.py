"""The life of a run while workers have it: claimed, worked on for a slice, given back, put off, held, ended.

Nothing here knows what the work is: the engine of the run's kind comes as an argument. PostgreSQL is the only truth. A
claim has a lease and an attempt (the fence), and everything that a worker writes carries the attempt, so a worker can
stop or die at any step and the run goes on elsewhere.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from app.errors import Fatal, Halted, Retryable
from app.observe.events import (
    LeaseLost,
    RunEnded,
    RunHeld,
    RunPostponed,
    RunRescued,
    SliceClaimed,
    SliceFailed,
    StepReached,
)
from app.observe.logs import error_kind, format_trace
from app.quotas.quota import load_runtime
from app.runs.acceptance import enqueue_run
from app.runs.kinds import Kind, Step
from app.runs.model import Run, RunId, run_from
from app.runs.states import State, states_before
from app.runs.telling.news import tell_webhooks
from app.runs.telling.traces import trace_end, tracing_turn
from app.runtime import Runtime
from app.storage import claims
from app.storage.blobs import BlobsUnavailable
from app.storage.database import DatabaseUnavailable, Session, find_schema_trouble
from app.storage.journal.marks import settle_undone
from app.transports.guard import Exhausted, is_own_trouble

BACKOFF_SECONDS = 2.0  # a run that crashed waits up to this, times its crashes
SOURCE_SECONDS = 20.0  # a source that is away gets about so much time before it is tried again
RETRY_SECONDS = 0.5  # between two tries to write what has become of a run
IMPATIENT_SECONDS = 3.0  # for the same in a process that is to end
WATCH_SECONDS = 1.0  # between two looks whether a run was taken from its worker
NO_THREAD = "can't start new thread"  # Python's words

T = TypeVar("T")
Stopping = Callable[[], bool]
# Works on a claimed run for a slice and says whether it has ended or held it. `Stopping` is true once the process is
# shutting down: then nothing new is begun.
Work = Callable[[Runtime, Run, Stopping], Awaitable[bool]]


class RunLost(Exception):
    """Another worker has the run by now, or it has ended; what was being written must be rolled back."""


class SourceAway(Retryable):
    """The server that a run reads from or writes to cannot be reached. The run waits longer, for about `seconds`, and
    that is counted."""

    part = "source"
    seconds = SOURCE_SECONDS


class OutOfMemory(Exception):
    """This process has no memory left. It should end: whatever else it works on would fail for no fault of its own."""


async def work_on(runtime: Runtime, run_id: RunId, work: Work, *, stopping: Stopping = lambda: False) -> None:
    """Claims the run and lets the engine work on it for a slice. Does nothing if the run has ended, is not due or is
    claimed by another worker. What the engine raises decides here how the run goes on. Raises OutOfMemory."""
    run = await claim_run(runtime, run_id)
    if run is not None:
        with tracing_turn(runtime.observe.traces, run):
            await work_on_claimed(runtime, run, work, stopping)


async def work_on_claimed(runtime: Runtime, run: Run, work: Work, stopping: Stopping) -> None:
    try:
        async with lease_renewed(runtime, run):
            async with runtime.database.read() as session:
                own = await load_runtime(session, runtime, run.account_id)
            ended = await work(own, run, stopping)
    except RunLost:
        runtime.observe(LeaseLost(run.id, run.attempt))
    except Fatal as fatal:
        await fail_run(runtime, run, fatal)
    except Halted as halted:
        await halt_run(runtime, run, halted)
    except asyncio.CancelledError:
        await asyncio.shield(give_back(runtime, run, patient=False))
        raise
    except Retryable as error:
        await postpone(runtime, run, error)
    except Exception as error:  # whatever it is, it is counted as a crash of this run
        if is_own_trouble(error):
            await postpone(runtime, run, Exhausted(), error)
            return
        await count_crash(runtime, run, error)
        if is_out_of_memory(error):
            raise OutOfMemory from error
    else:
        if not ended:
            await give_back(runtime, run)


async def claim_run(runtime: Runtime, run_id: RunId) -> Run | None:
    """The run, for as long as its lease is renewed; None if nobody may work on it now."""
    async with runtime.database.transaction() as session:
        row = await claims.claim(session, run_id, lease=runtime.settings.lease_seconds)
        run = None if row is None else run_from(row)
    if run is None:
        return None
    runtime.observe(SliceClaimed(run.id, run.attempt, run.at_row))
    return run


@asynccontextmanager
async def lease_renewed(runtime: Runtime, run: Run) -> AsyncIterator[None]:
    """Renews the lease for as long as the block runs, and breaks the block off when the run is taken from this worker:
    somebody has cancelled it, or it took too long to renew. Raises RunLost."""
    try:
        async with asyncio.timeout(None) as block:
            renewing = asyncio.create_task(renew_lease(runtime, run, block))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
    except TimeoutError:
        if block.expired():
            raise RunLost from None
        raise


async def renew_lease(runtime: Runtime, run: Run, block: asyncio.Timeout) -> None:
    """Returns when the run is lost, and has broken the block off."""
    lease, renewed, ours = runtime.settings.lease_seconds, time.monotonic(), True
    while ours:
        await asyncio.sleep(min(WATCH_SECONDS, lease / 3))
        with suppress(DatabaseUnavailable):
            async with runtime.database.read() as session:
                ours = await claims.is_ours(session, run.id, run.attempt)
            if time.monotonic() - renewed < lease / 3:
                continue
            async with runtime.database.transaction() as session:
                await claims.renew(session, run.id, run.attempt, lease=lease)
            renewed = time.monotonic()
    block.reschedule(0)


async def write_when_reachable(runtime: Runtime, write: Callable[[Session], Awaitable[T]]) -> T:
    """The result of `write`, in a transaction that is tried again until PostgreSQL takes it. A run whose lease runs out
    meanwhile counts a crash, and a restart of PostgreSQL is none."""
    while True:
        with suppress(DatabaseUnavailable):
            async with runtime.database.transaction() as session:
                return await write(session)
        await asyncio.sleep(RETRY_SECONDS)


async def give_back(runtime: Runtime, run: Run, *, patient: bool = True) -> None:
    """Puts the run at the end of the queue, so that runs take turns. A process that is to end is not `patient`: when
    PostgreSQL is away the lease runs out, and the sweeper does it."""
    writing = write_when_reachable(runtime, lambda session: claims.release(session, run.id, run.attempt))
    try:
        released = await asyncio.wait_for(writing, None if patient else IMPATIENT_SECONDS)
    except TimeoutError:
        return
    runtime.observe(StepReached(run.id, "released"))
    if released is not None:
        await enqueue_run(runtime, run.id, released["kind"], released["step"], run.attempt)


async def postpone(runtime: Runtime, run: Run, error: Retryable, cause: Exception | None = None) -> None:
    """Lets the run wait a little: the database or the store of files failed temporarily (a full disk, a restart), or a
    source cannot be reached. No crash is counted."""
    kind, trace = error_kind(cause or error.__cause__ or error), format_trace(cause or error)
    runtime.observe(RunPostponed(run.id, run.attempt, error.part, kind, trace))
    backoff, away = BACKOFF_SECONDS, isinstance(error, SourceAway)
    if isinstance(error, SourceAway):
        backoff = error.seconds
    elif isinstance(error, BlobsUnavailable) and (run.step is Step.FETCH or run.kind is Kind.EXPORT):
        backoff = SOURCE_SECONDS  # a file that has no room is fetched, or written, again from its beginning
    await write_when_reachable(
        runtime,
        lambda session: claims.postpone(
            session, run.id, run.attempt, backoff=backoff, waiting_for=error.part, source_away=away
        ),
    )


async def count_crash(runtime: Runtime, run: Run, error: Exception) -> None:
    """Notes that a slice raised an unexpected error; after too many at one place the run fails. When the note cannot
    be written the lease runs out and the sweeper counts the crash."""
    runtime.observe(SliceFailed(run.id, run.attempt, error_kind(error), format_trace(error)))
    with suppress(DatabaseUnavailable):
        async with runtime.database.transaction() as session:
            if await find_schema_trouble(session):  # a migration has taken away what this code needs, and nothing else
                part = DatabaseUnavailable.part
                await claims.postpone(session, run.id, run.attempt, backoff=BACKOFF_SECONDS, waiting_for=part)
                return
            row = await claims.fault(session, run.id, run.attempt, backoff=BACKOFF_SECONDS)
            failed = await fail_if_hopeless(session, runtime, row)
        announce_end(runtime, failed)


def is_out_of_memory(error: Exception) -> bool:
    """A thread that has no memory for its stack is a RuntimeError."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_THREAD in str(error))


async def rescue_runs(runtime: Runtime) -> None:
    """Takes runs from dead or frozen workers and enqueues every run that could go on. Several workers may do it at a
    time: a rescue is one atomic update, and a task that is enqueued twice for one attempt is one task."""
    async with runtime.database.transaction() as session:
        rescued = await claims.rescue(session, backoff=BACKOFF_SECONDS)
        failed = [await fail_if_hopeless(session, runtime, row) for row in rescued]
        due = await claims.due(session)
    for row in rescued:
        runtime.observe(RunRescued(row["id"], row["crashes"]))
    for run in failed:
        announce_end(runtime, run)
    for row in due:
        await enqueue_run(runtime, row["id"], row["kind"], row["step"], row["attempt"])


async def fail_run(runtime: Runtime, run: Run, fatal: Fatal) -> None:
    """Ends a run that cannot succeed; rows written before stay."""
    failed = await write_when_reachable(
        runtime,
        lambda session: end_run(session, run.id, run.attempt, State.FAILED, code=fatal.code, detail=fatal.detail),
    )
    announce_end(runtime, failed)


async def halt_run(runtime: Runtime, run: Run, halted: Halted) -> None:
    """Lets a run wait until somebody decides; rows written before stay."""
    runtime.observe(StepReached(run.id, "halting"))
    held = await write_when_reachable(
        runtime,
        lambda session: hold_run(session, run.id, run.attempt, State.HALTED, code=halted.code, detail=halted.detail),
    )
    announce_held(runtime, held)


def spell_times(crashes: int) -> str:
    return "once" if crashes == 1 else f"{crashes} times in a row"


async def fail_if_hopeless(session: Session, runtime: Runtime, row: Any) -> Run | None:
    """Ends a run that has crashed too often without getting any further; `row` has id, step, attempt and crashes."""
    if row is None:
        return None
    most = runtime.settings.max_crashes
    if row["step"] == Step.DELIVER:
        most = max(2, most)  # the crash before gives up the destination, and not the export: app.exports.deliver
    if row["crashes"] < most:
        return None
    detail = f"The worker crashed {spell_times(row['crashes'])} on the same part of this file"
    return await end_run(session, row["id"], row["attempt"], State.FAILED, code="worker_crashed", detail=detail)


async def end_run(
    session: Session, run_id: str, attempt: int, state: State, *, code: str | None = None, detail: str | None = None
) -> Run | None:
    """Every end of a run, in the caller's transaction: the state, its time, what webhooks are sent, and nothing secret
    left. None if the run is not ours any more or cannot go from its state to this one. `announce_end` it after the
    commit."""
    row = await claims.end(session, run_id, attempt, state, before=states_before(state), code=code, detail=detail)
    if row is not None and row["kind"] == Kind.UNDO and state is not State.FINISHED:
        await settle_undone(session, run_id)
    return None if row is None else await tell_webhooks(session, run_from(row))


async def hold_run(
    session: Session, run_id: str, attempt: int, state: State, *, code: str | None = None, detail: str | None = None
) -> Run | None:
    """Lets a run wait, `halted` or `planned`, in the caller's transaction: app.runs.holding.held tells how it goes on.
    Webhooks are told. None if the run is not ours any more. `announce_held` it after the commit."""
    row = await claims.hold(session, run_id, attempt, state, before=states_before(state), code=code, detail=detail)
    return None if row is None else await tell_webhooks(session, run_from(row))


def announce_end(runtime: Runtime, run: Run | None) -> None:
    """Logs and counts a run that has ended; None: there is none."""
    if run is not None:
        runtime.observe(RunEnded(run.id, run.account_id, run.state, run.fail_code, run.total, run.success, run.failed))
        trace_end(runtime.observe.traces, run)


def announce_held(runtime: Runtime, run: Run | None) -> None:
    """Logs a run that waits for somebody to decide; None: there is none."""
    if run is not None:
        runtime.observe(RunHeld(run.id, run.account_id, run.state, run.fail_code))
