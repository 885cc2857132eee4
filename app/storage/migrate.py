"""Brings a database to the newest schema."""

from alembic import command
from alembic.config import Config

from app.storage.database import MIGRATIONS, driver_url, translated


def upgrade(url: str) -> None:
    """Runs every migration that is missing. Blocking; takes a lock, so that several may call it at a time. Raises
    DatabaseUnavailable."""
    with translated():
        command.upgrade(configuration(url), "head")


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config
