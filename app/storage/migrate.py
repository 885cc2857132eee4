"""Brings a database to the newest schema."""

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from app.errors import Misconfigured
from app.storage.database import (
    MIGRATIONS,
    DatabaseUnavailable,
    ReadSession,
    SchemaUnfit,
    driver_url,
    newest_migration,
    read_value,
    translate_errors,
)

DEADLOCK = "40P01"
DEADLOCKS = 5  # after which a migration gives up


def upgrade(url: str) -> None:
    """Runs the migrations that are missing. Blocking. Takes a lock, so that several processes may call it at the same
    time. Raises DatabaseUnavailable, and Misconfigured for a user without the right."""
    try:
        with translate_errors():
            upgrade_past_deadlocks(configuration(url))
    except DBAPIError as error:
        match getattr(error.orig, "sqlstate", None):
            case "55P03":
                raise DatabaseUnavailable(
                    "A migration waited too long for a table that is in use, and changed nothing. Run it again"
                ) from error
            case "42501":
                raise Misconfigured(
                    "The user in SLUICE_DATABASE_URL may not create tables: it must own the database"
                ) from error
        raise


def upgrade_past_deadlocks(config: Config) -> None:
    """A batch at work reads `runs`, then writes `records`, then `runs`, so no order of locks suits it. Of two
    that wait for each other PostgreSQL ends one. If that is the migration, it begins again."""
    for _ in range(DEADLOCKS):
        try:
            return command.upgrade(config, "head")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != DEADLOCK:
                raise
    return command.upgrade(config, "head")


async def read_schema(session: ReadSession) -> str:
    """The database's schema, such as "0004"; "" before the first migration. Raises SchemaUnfit for one that this code
    does not know, from which Alembic would find no way."""
    found, newest = await read_value(session, "SELECT version_num FROM alembic_version") or "", newest_migration()
    if found > newest:
        raise SchemaUnfit(f"The database has schema {found} already, and this version knows them up to {newest}")
    return found


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config
