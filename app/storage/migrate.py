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


def upgrade(url: str) -> None:
    """Runs the migrations that are missing. Blocking. Takes a lock, so that several processes may call it at the same
    time. Raises DatabaseUnavailable, and Misconfigured for a user without the right."""
    try:
        with translate_errors():
            command.upgrade(configuration(url), "head")
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
