"""Brings a database to the newest schema, and tells whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.storage.database import ReadSession, driver_url

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(url: str) -> None:
    """Runs every migration that is missing. Blocking; takes a lock, so that several may call it at a time."""
    command.upgrade(configuration(url), "head")


async def is_current(session: ReadSession) -> bool:
    """Whether the database has the schema that this code was written for."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    try:
        return (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar() == head
    except DBAPIError:
        return False


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config
