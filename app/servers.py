"""Reaches PostgreSQL and Redis when a process starts, and finds out whether it can work with them."""

from pathlib import Path
from typing import Final

from app.errors import Misconfigured
from app.queue.server import AddressRefused, WrongAddress
from app.queue.task_queue import TaskQueue, WrongEvictionPolicy
from app.storage.access import accounts
from app.storage.database import OLDEST_SERVER, Database, DatabaseRefused, SchemaUnfit, find_schema_trouble

SECRET_CHARACTERS: Final = 32
DIFFERENT_CHARACTERS: Final = 8  # of 32 random hexadecimal digits about 14 are different
WEAK_SECRET: Final = (
    f"SLUICE_SECRET_KEY must have {SECRET_CHARACTERS} characters or more, at random. "
    "Make one with: openssl rand -hex 32"
)


async def check_database(database: Database, secret_key: str) -> bool:
    """Whether the secret key is weak, but API keys depend on it. Raises DatabaseUnavailable, SchemaUnfit and
    Misconfigured."""
    await reach_database(database)
    await check_schema(database)
    return await check_secret_key(database, secret_key)


async def reach_database(database: Database) -> None:
    """Raises DatabaseUnavailable, Misconfigured."""
    try:
        version = await database.reach()
    except DatabaseRefused as wrong:
        raise Misconfigured(str(wrong)) from None
    if version < OLDEST_SERVER:
        raise Misconfigured("PostgreSQL must be version 15 or newer")


async def check_schema(database: Database) -> None:
    """Raises SchemaUnfit: a process that served or worked on it would make mistakes, and count them as crashes."""
    async with database.read() as session:
        trouble = await find_schema_trouble(session)
    if trouble:
        raise SchemaUnfit(trouble)


async def check_secret_key(database: Database, secret_key: str) -> bool:
    """Whether the key is weak but API keys depend on it: their users must not be locked out (ADR 37). Raises
    Misconfigured for a weak key on which nothing depends."""
    if not is_weak(secret_key):
        return False
    async with database.read() as session:
        if await accounts.has_keys(session):
            return True
    raise Misconfigured(WEAK_SECRET)


def is_weak(secret_key: str) -> bool:
    return len(secret_key) < SECRET_CHARACTERS or len(set(secret_key)) < DIFFERENT_CHARACTERS


async def open_queue(url: str, ca_file: Path | None) -> TaskQueue:
    """Raises Misconfigured, QueueUnavailable."""
    try:
        return await TaskQueue.open(url, ca_file)
    except (WrongAddress, AddressRefused, WrongEvictionPolicy) as wrong:
        raise Misconfigured(str(wrong)) from None
