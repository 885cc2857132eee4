"""Runs the migrations on the database that SLUICE_DATABASE_URL or the caller names."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio.engine import create_async_engine
from sqlalchemy.pool import NullPool

from app.errors import Misconfigured
from app.storage.database import driver_url
from app.storage.tables import metadata

MIGRATION_LOCK = 7_305_810_425  # any number, the same for all who migrate
LOCK_SECONDS = 0.2  # between two looks whether somebody else still migrates


def require_session(connection: Connection) -> None:
    """Raises Misconfigured behind a pooler: it would give the lock and the settings of this session to others. It hides
    which process of PostgreSQL it speaks to."""
    told = connection.connection.driver_connection.get_server_pid()  # type: ignore[union-attr]
    if connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != told:
        raise Misconfigured(
            "SLUICE_DATABASE_URL leads to a pooler, and a migration needs a session of its own: give the address of "
            "PostgreSQL itself"
        )


def run(connection: Connection) -> None:
    """Each migration is a transaction of its own, so that no lock is held longer than it must. The session holds the
    lock that keeps others from migrating: a migration that moves data commits many times."""
    require_session(connection)
    # Nobody waits for it within a statement: an index that is built concurrently would wait for that statement.
    while not connection.execute(text(f"SELECT pg_try_advisory_lock({MIGRATION_LOCK})")).scalar_one():
        connection.commit()
        time.sleep(LOCK_SECONDS)
    # A migration that cannot get its lock gives up instead of queueing every writer behind itself.
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate(url: str) -> None:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


target = context.config.get_main_option("sqlalchemy.url") or os.environ["SLUICE_DATABASE_URL"]
# In a thread of its own: the caller may have a running event loop.
with ThreadPoolExecutor(1) as thread:
    thread.submit(asyncio.run, migrate(target)).result()
