"""Waits until the servers of a part answer: `--wait`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping

from app.errors import Retryable
from app.runtime import build_database, secret_value
from app.servers import check_schema, open_queue, reach_database
from app.settings import Settings

TRY_SECONDS = 1.0

Check = Callable[[Settings], Coroutine[None, None, None]]


async def wait_for(checks: Mapping[str, Check], settings: Settings) -> None:
    """Tries each check until it succeeds; the keys say what is so then. What is missing is told once, and that it is
    there. Raises Misconfigured: waiting would not help."""
    for success, check in checks.items():
        waited = False
        while (trouble := await find_trouble(check, settings)) is not None:
            if not waited:
                print(f"sluice: waiting: {trouble}", file=sys.stderr, flush=True)
            waited = True
            await asyncio.sleep(TRY_SECONDS)
        if waited:
            print(f"sluice: {success}", file=sys.stderr, flush=True)


async def find_trouble(check: Check, settings: Settings) -> Retryable | None:
    try:
        await check(settings)
    except Retryable as trouble:
        return trouble
    return None


async def try_database(settings: Settings) -> None:
    """Raises DatabaseUnavailable, Misconfigured."""
    database = build_database(secret_value(settings.database_url), pool_size=1)
    try:
        await reach_database(database)
    finally:
        await database.close()


async def try_schema(settings: Settings) -> None:
    """Raises DatabaseUnavailable, SchemaUnfit."""
    database = build_database(secret_value(settings.database_url), pool_size=1)
    try:
        await check_schema(database)
    finally:
        await database.close()


async def try_redis(settings: Settings) -> None:
    """Raises QueueUnavailable, Misconfigured."""
    await (await open_queue(secret_value(settings.redis_url), settings.ca_file)).close()


DATABASE: Mapping[str, Check] = {"PostgreSQL answers": try_database}
REDIS: Mapping[str, Check] = {"Redis answers": try_redis}
EVERYTHING: Mapping[str, Check] = {**DATABASE, "the schema fits": try_schema, **REDIS}
