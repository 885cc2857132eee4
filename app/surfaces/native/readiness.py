"""Whether the service can do its work: every part that it needs, asked at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.errors import Retryable
from app.runtime import Runtime
from app.storage.database import is_current

PATIENCE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class PartStatus:
    """`why` is None when the part is fine."""

    part: str
    why: str | None


async def readiness(runtime: Runtime) -> tuple[PartStatus, ...]:
    return tuple(await asyncio.gather(*(checked(part, check, runtime) for part, check in CHECKS.items())))


async def checked(part: str, check: Callable[[Runtime], Awaitable[str | None]], runtime: Runtime) -> PartStatus:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return PartStatus(part, await check(runtime))
    except Retryable as trouble:
        return PartStatus(part, str(trouble))
    except TimeoutError:
        return PartStatus(part, f"did not answer within {PATIENCE_SECONDS:g} seconds")


async def database(runtime: Runtime) -> str | None:
    await runtime.database.server_version()
    return None


async def schema(runtime: Runtime) -> str | None:
    async with runtime.database.read() as session:
        current = await is_current(session)
    return None if current else "the database does not have the newest schema; run: sluice migrate"


async def redis(runtime: Runtime) -> str | None:
    await runtime.queue.count_workers()
    return None


async def blobs(runtime: Runtime) -> str | None:
    return await asyncio.to_thread(write_and_remove, runtime)


def write_and_remove(runtime: Runtime) -> str | None:
    try:
        runtime.blobs.check()
    except OSError as trouble:
        return f"cannot be written: {trouble.strerror}"
    return None


async def worker(runtime: Runtime) -> str | None:
    return None if await runtime.queue.count_workers() else "none was seen lately"


CHECKS: Final = {"database": database, "schema": schema, "redis": redis, "blobs": blobs, "worker": worker}
