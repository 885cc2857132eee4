"""What a worker does beside its jobs: says that it lives, rescues runs nobody works on, and throws out what is old."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.imports.run import BACKOFF_SECONDS, fail_if_hopeless
from app.observe.events import BlobsSwept, HousekeepingBroke, RunRescued, RunsPruned
from app.observe.logs import kind
from app.queue.tasks import next_job
from app.runs import outbox
from app.runtime import Runtime
from app.storage import claims, runs
from app.storage.access import tokens

PRUNE_SECONDS = 600.0
TELL_SECONDS = 3.0
BEAT_SECONDS = 10.0
ORPHAN_SECONDS = 3_600.0  # an upload takes less; a blob this old without a run belongs to nobody


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again."""

    name: str
    every: float  # seconds
    do: Callable[[Runtime, str], Awaitable[None]]


def duties(runtime: Runtime) -> tuple[Duty, ...]:
    return (
        Duty("beat", BEAT_SECONDS, beat),
        Duty("sweep", runtime.settings.sweep_seconds, sweep),
        Duty("prune", PRUNE_SECONDS, prune),
        Duty("tell", TELL_SECONDS, tell),
    )


async def keep(runtime: Runtime, worker: str, duty: Duty) -> None:
    """Does a duty for ever. Trouble is noted and the duty done again at its time: housekeeping must not end."""
    while True:
        try:
            await duty.do(runtime, worker)
        except Exception as trouble:  # noqa: BLE001  whatever it is, the next sweep must come
            runtime.observe(HousekeepingBroke(duty.name, kind(trouble)))
        await asyncio.sleep(duty.every)


async def beat(runtime: Runtime, worker: str) -> None:
    await runtime.queue.beat(worker)


async def sweep(runtime: Runtime, _: str) -> None:
    """Takes runs from dead workers and rings for every run that could go on. Several workers may sweep at a time: a
    rescue is one atomic update, and ringing twice for one attempt is one job."""
    async with runtime.database.transaction() as session:
        for row in await claims.rescue(session, backoff=BACKOFF_SECONDS):
            runtime.observe(RunRescued(row["id"], row["crashes"]))
            await fail_if_hopeless(session, runtime, row)
        waiting = await claims.due(session)
    for row in waiting:
        await runtime.enqueue(next_job(to_fetch=row["to_fetch"]), row["id"], row["attempt"])


async def tell(runtime: Runtime, _: str) -> None:
    await outbox.tell(runtime)


async def prune(runtime: Runtime, _: str) -> None:
    """Strips runs past their retention, and deletes tokens that have expired and files that no run needs."""
    async with runtime.database.transaction() as session:
        await tokens.delete_expired(session)
        old = await runs.prune(session, runtime.settings.retention_days)
    for blob in old:
        await asyncio.to_thread(runtime.blobs.delete, blob)
    if old:
        runtime.observe(RunsPruned(len(old)))
    stale = await asyncio.to_thread(lambda: list(runtime.blobs.list_older_than(ORPHAN_SECONDS)))
    async with runtime.database.read() as session:
        orphans = set(stale) - await runs.known_blobs(session, stale)
    for blob in orphans:
        await asyncio.to_thread(runtime.blobs.delete, blob)
    if orphans:
        runtime.observe(BlobsSwept(len(orphans)))
