"""Whether the service can work: all parts that it depends on, checked at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.errors import Retryable
from app.queue.task_queue import QueueRefusesWrites
from app.runtime import Runtime
from app.storage.database import PLAN_VERSION, find_schema_trouble

CHECK_SECONDS: Final = 5.0
OLD_WORKERS: Final = (
    "All workers are of an older release, which leaves alone what this API accepts. Restart them with this release"
)


@dataclass(frozen=True, slots=True)
class PartStatus:
    """`error` is None if the part works."""

    part: str
    error: str | None


async def check_parts(runtime: Runtime) -> tuple[PartStatus, ...]:
    return tuple(await asyncio.gather(*(check_part(part, check, runtime) for part, check in CHECKS.items())))


async def check_worker_there(runtime: Runtime) -> str | None:
    """Why nobody works on anything; None if somebody does."""
    return (await check_part("worker", check_worker, runtime)).error


async def check_part(part: str, check: Callable[[Runtime], Awaitable[str | None]], runtime: Runtime) -> PartStatus:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return PartStatus(part, await check(runtime))
    except Retryable as unavailable:
        return PartStatus(part, str(unavailable))
    except TimeoutError:
        return PartStatus(part, f"It did not answer within {CHECK_SECONDS:g} seconds")


async def check_database(runtime: Runtime) -> str | None:
    await runtime.database.server_version()
    return None


async def check_schema(runtime: Runtime) -> str | None:
    async with runtime.database.read() as session:
        return await find_schema_trouble(session)


async def check_redis(runtime: Runtime) -> str | None:
    await runtime.queue.check_writes()
    return None


async def check_blobs(runtime: Runtime) -> str | None:
    await asyncio.to_thread(runtime.blobs.check)
    return None


async def check_worker(runtime: Runtime) -> str | None:
    known = await runtime.queue.list_workers()
    if known:
        return None if max(known) >= PLAN_VERSION else OLD_WORKERS
    try:
        await runtime.queue.check_writes()
    except QueueRefusesWrites:
        return "Unknown: workers report to Redis, which refuses writes"
    return "No worker is running"


CHECKS: Final = {
    "database": check_database,
    "schema": check_schema,
    "redis": check_redis,
    "blobs": check_blobs,
    "worker": check_worker,
}
