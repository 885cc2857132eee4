"""The instance whose keys a command is about, and its database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.options import Misused
from app.embedded import running_instance
from app.runtime import build_database
from app.settings import Settings
from app.storage.database import Database, is_current


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """The database that the keys are in, and the secret key (of API keys the pepper) where it is known."""

    database_url: str
    secret_key: str | None


def target(data: Path | None) -> DatabaseTarget:
    """A running instance by its folder, else the database that the environment names."""
    settings = Settings()
    if data is None and settings.database_url:
        secret_key = settings.secret_key.get_secret_value() if settings.secret_key else None
        return DatabaseTarget(settings.database_url.get_secret_value(), secret_key)
    instance = running_instance(data or settings.data)
    return DatabaseTarget(instance.database_url, instance.secret_key)


@asynccontextmanager
async def opened(place: DatabaseTarget) -> AsyncIterator[Database]:
    """Raises Misused when the schema is not the newest, Misconfigured for an address that is none."""
    database = build_database(place.database_url, pool_size=1)
    try:
        async with database.read() as session:
            current = await is_current(session)
        if not current:
            raise Misused("the database does not have the newest schema; run: sluice migrate")
        yield database
    finally:
        await database.close()
