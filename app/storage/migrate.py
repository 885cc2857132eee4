"""Brings a database to the newest schema."""

from alembic import command
from alembic.config import Config

from app.storage.database import MIGRATIONS, driver_url, translate_errors


def upgrade(url: str) -> None:
    """Runs the migrations that are missing. Blocking. Takes a lock, so that several processes may call it at the same
    time. Raises DatabaseUnavailable."""
    with translate_errors():
        command.upgrade(configuration(url), "head")


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config
