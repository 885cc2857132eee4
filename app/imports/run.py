"""Works off one slice of a run: the order of the stages, told once.

A slice lasts about a second. It claims the run, writes batch after batch, each in one transaction with its counts, its
problems and the cursor, and gives the run back at the end of the queue, so imports take turns and a worker can stop or
die at any step without a row being lost or counted twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from app.errors import Fatal, Retryable
from app.imports.slice import Lost, opened
from app.imports.sources.fetch import NotNow, fetch_file
from app.observe.events import RunEnded, SliceBroke, SliceClaimed, SliceLost, StepReached
from app.observe.logs import kind, trace
from app.queue.tasks import next_job
from app.runs.model import Run, RunId, run_from
from app.runtime import Runtime
from app.storage import claims
from app.storage.database import DatabaseUnavailable, Session

SOURCE_SECONDS = 20.0  # a source that is away gets so much time, more or less, before it is tried again
BACKOFF_SECONDS = 2.0  # a run that crashed waits up to this, times its crashes


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
    except Retryable as passing:
        await put_off(runtime, run, passing, SOURCE_SECONDS if isinstance(passing, NotNow) else BACKOFF_SECONDS)
    except Exception as trouble:  # noqa: BLE001  whatever it is, it is counted as a crash of this run
        await broke(runtime, run, trouble)
    else:
        if not ended:
            await give_back(runtime, run)


async def work(runtime: Runtime, run: Run, stopping: Callable[[], bool]) -> bool:
    """Writes batches until the slice's time is up. Whether the run has ended."""
    if run.blob is None and run.source is not None:
        # The rows follow in slices of their own: between them other imports have their turn.
        await fetch_file(runtime, run)
        return False
    # In a thread, since the file may be far away; the lease is renewed meanwhile.
    await asyncio.to_thread(runtime.blobs.prefetch, run.blob or "")
    with opened(runtime, run) as slice_:
        if not await slice_.write_batches(stopping):
            return False
        await slice_.finish()
    return True


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
    """Puts the run at the end of the queue. When that cannot be done the lease runs out and the sweeper does it. A file
    whose fetching was broken off is fetched anew."""
    try:
        async with runtime.database.transaction() as session:
            ours = await claims.release(session, run.id, run.attempt)
    except DatabaseUnavailable:
        return
    runtime.observe(StepReached(run.id, "released"))
    if ours is not None:
        await runtime.enqueue(next_job(to_fetch=ours["to_fetch"]), run.id, run.attempt)


async def put_off(runtime: Runtime, run: Run, passing: Retryable, backoff: float) -> None:
    """The database was not well (a deadlock, a full disk, a restart), or the source is away: the run waits a little. It
    is nobody's crash. When not even that can be written the lease runs out."""
    runtime.observe(SliceBroke(run.id, run.attempt, kind(passing.__cause__ or passing), trace(passing)))
    with suppress(DatabaseUnavailable):
        async with runtime.database.transaction() as session:
            await claims.postpone(session, run.id, run.attempt, backoff=backoff, of_source=isinstance(passing, NotNow))


async def broke(runtime: Runtime, run: Run, trouble: Exception) -> None:
    """Notes that a slice broke on something nobody expected; after too many in one spot the run fails. When the note
    cannot be written the lease runs out and the sweeper counts the crash."""
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
