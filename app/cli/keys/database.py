"""Finds and opens the database that a command works on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.options import UsageError
from app.embedded import find_running_instance
from app.runtime import build_database
from app.settings import Settings
from app.storage.database import Database, find_schema_trouble


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """The address of a database, and the secret key (the pepper of API keys) if it is known."""

    database_url: str
    secret_key: str | None


def find_database(data: Path | None) -> DatabaseTarget:
    """The database of the environment, or with `data` (or none set) that of the instance running in the folder."""
    settings = Settings()
    if data is None and settings.database_url:
        secret_key = settings.secret_key.get_secret_value() if settings.secret_key else None
        return DatabaseTarget(settings.database_url.get_secret_value(), secret_key)
    instance = find_running_instance(data or settings.data)
    return DatabaseTarget(instance.database_url, instance.secret_key)


@asynccontextmanager
async def open_database(target: DatabaseTarget) -> AsyncIterator[Database]:
    """Raises UsageError if the schema does not fit, Misconfigured if the address is not valid."""
    database = build_database(target.database_url, pool_size=1)
    try:
        async with database.read() as session:
            trouble = await find_schema_trouble(session)
        if trouble:
            raise UsageError(trouble)
        yield database
    finally:
        await database.close()
