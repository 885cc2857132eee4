"""Finds and opens the database that a command works on."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.options import UsageError, read_settings
from app.embedded import find_running_instance
from app.observe.acting import Acting, acting
from app.runtime import build_database
from app.servers import WEAK_SECRET, check_schema, check_secret_key, reach_database
from app.storage.database import Database

DEFAULT_URL = "http://127.0.0.1:8000"  # where `sluice api` listens unless told otherwise


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """The address of a database, the secret key (the pepper of API keys) if it is known, and the address of the service
    as people type it."""

    database_url: str
    secret_key: str | None
    url: str

    def require_pepper(self) -> str:
        """Raises UsageError."""
        if self.secret_key is None:
            raise UsageError(
                "SLUICE_SECRET_KEY must be set to the value that the API uses. For an instance that `sluice up` runs, "
                "use --data instead"
            )
        return self.secret_key


def check_account_name(account: str) -> None:
    """Raises UsageError."""
    if not account.strip() or not account.isprintable():
        raise UsageError("`--account` must be a name on one line")


def find_database(data: Path | None) -> DatabaseTarget:
    """The database of the environment, or with `data` (or none set) that of the instance running in the folder."""
    settings = read_settings()
    if data is None and settings.database_url:
        secret_key = settings.secret_key.get_secret_value() if settings.secret_key else None
        return DatabaseTarget(settings.database_url.get_secret_value(), secret_key, settings.public_url or DEFAULT_URL)
    instance = find_running_instance(data or settings.data)
    return DatabaseTarget(instance.database_url, instance.secret_key, settings.public_url or instance.api_url)


@asynccontextmanager
async def open_database(target: DatabaseTarget) -> AsyncIterator[Database]:
    """Raises DatabaseUnavailable, SchemaUnfit, Misconfigured."""
    database = build_database(target.database_url, pool_size=1)
    try:
        await reach_database(database)
        await check_schema(database)
        if target.secret_key and await check_secret_key(database, target.secret_key):
            print(f"sluice: {WEAK_SECRET}", file=sys.stderr)
        with acting(Acting("operator")):
            yield database
    finally:
        await database.close()
