"""All that a process holds open, built once from the settings and closed at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.formats.records import Limits
from app.jobs.queue import Bell, QueueUnavailable, WrongAddress, WrongEvictionPolicy
from app.observe import Observer
from app.observe.events import RingLost
from app.settings import Settings
from app.storage.blobs import FileBlobs, open_blobs
from app.storage.database import OLDEST_SERVER, Database
from app.throttle import Counters, Rate, Throttle, rate_from


class Misconfigured(Exception):
    """A setting is missing or does not fit what it points to; the message says which."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The open parts of a process. Everything below an entry point is given one or what it needs of it."""

    settings: Settings
    database: Database
    blobs: FileBlobs
    bell: Bell
    observe: Observer
    limits: Limits
    throttle: Throttle
    heavy_reads: asyncio.Semaphore  # lists that go through all of an account's records; polls must find a connection

    async def ring(self, kind: str, run_id: str, attempt: int) -> None:
        """Rings after a commit. A bell that cannot be reached is only noted: the sweeper will ring."""
        try:
            await self.bell.ring(kind, run_id, attempt)
        except QueueUnavailable:
            self.observe(RingLost(run_id))


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Opens everything. Raises Misconfigured, DatabaseUnavailable or QueueUnavailable."""
    database_url, redis_url = required(settings)
    rate = rate_limit(settings)
    try:
        blobs = open_blobs(settings.blobs or (settings.data.absolute() / "blobs").as_uri())
    except ValueError as wrong:
        raise Misconfigured(str(wrong)) from wrong
    database = database_at(database_url, pool_size=settings.database_pool)
    try:
        bell = await Bell.open(redis_url)
    except (WrongAddress, WrongEvictionPolicy) as wrong:
        await database.close()
        raise Misconfigured(str(wrong)) from None
    try:
        if await database.server_version() < OLDEST_SERVER:
            raise Misconfigured("PostgreSQL must be version 15 or newer")
        observe = Observer()
        throttle = Throttle(rate, Counters(bell.connections), observe)
        heavy = asyncio.Semaphore(max(1, settings.database_pool // 4))
        yield Runtime(settings, database, blobs, bell, observe, limits(settings), throttle, heavy)
    finally:
        await bell.close()
        await database.close()


def required(settings: Settings) -> tuple[str, str]:
    """The two addresses. Raises Misconfigured, naming the first setting that is missing."""
    secrets = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
    }
    given = {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}
    for name in secrets:
        if not given.get(name):
            raise Misconfigured(f"SLUICE_{name} is not set; `sluice up` brings servers of its own")
    return given["DATABASE_URL"], given["REDIS_URL"]


def rate_limit(settings: Settings) -> Rate | None:
    """None for no limit. Raises Misconfigured."""
    try:
        return rate_from(settings.rate_limit)
    except ValueError:
        told = "SLUICE_RATE_LIMIT cannot be read; it must be like 10000/minute or 20 per 5 seconds, or off"
        raise Misconfigured(told) from None


def database_at(url: str, *, pool_size: int) -> Database:
    """Connects to nothing yet. Raises Misconfigured, without a word of the address: it holds a password."""
    try:
        return Database(url, pool_size=pool_size)
    except Exception:  # noqa: BLE001  the driver's parser has errors of its own kind, and all of them quote
        told = "SLUICE_DATABASE_URL cannot be read; it must be postgresql://user:password@host:port/database"
        raise Misconfigured(f"{told} with the password percent-encoded") from None


def limits(settings: Settings) -> Limits:
    return Limits(
        columns=settings.max_columns,
        record_bytes=settings.max_record_bytes,
        cell_characters=settings.max_cell_characters,
    )
