"""A process looks at the schema of its database before it does anything, and says in words what does not fit."""

import asyncio
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from app.embedded import Servers
from app.runtime import open_runtime
from app.storage.database import Database, DatabaseUnavailable, SchemaUnfit, newest_migration
from app.storage.migrate import configuration
from tests.support.servers import execute, redis_number, settings_for

NEWEST = newest_migration()


async def open_and_close(servers: Servers, data: Path, url: str) -> None:
    async with open_runtime(settings_for(data, url, redis_number(servers, 0))):
        pass


async def test_a_database_without_tables_is_not_used(servers: Servers, empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaUnfit, match=rf"^The database has no schema, this version needs {NEWEST}\. Run `sluice m"):
        await open_and_close(servers, tmp_path, empty_database)


async def test_a_schema_that_is_too_old_is_not_used(servers: Servers, empty_database: str, tmp_path: Path) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0003")
    with pytest.raises(SchemaUnfit, match=rf"^The database has schema 0003, this version needs {NEWEST}\. Run `sluice"):
        await open_and_close(servers, tmp_path, empty_database)


async def test_a_statement_that_a_migration_has_changed_is_tried_again(empty_database: str) -> None:
    """PostgreSQL refuses a prepared `RETURNING *` once after the table has got another column."""
    await execute(empty_database, "CREATE TABLE things (id integer)")
    database = Database(empty_database, pool_size=1)

    async def insert() -> int:
        async with database.transaction() as session:
            return len((await session.execute(text("INSERT INTO things (id) VALUES (1) RETURNING *"))).one())

    assert await insert() == 1
    await execute(empty_database, "ALTER TABLE things ADD COLUMN more integer")
    with pytest.raises(DatabaseUnavailable):
        await insert()
    assert await insert() == 2
    await database.close()
