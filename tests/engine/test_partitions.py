"""Records in hash partitions: no statement asks for what only a table on one machine can give back."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from app.embedded import Servers
from app.runs.model import AccountId
from app.runtime import Runtime, open_runtime
from app.storage.access import accounts
from app.storage.merge import CHANGED_AT
from tests.engine.conftest import ImportEngine, law
from tests.support.servers import new_database, partition_records, redis_number, settings_for
from tests.support.undoing import dump, undo

BEFORE = "_email,_name\na@x.io,Ann\nb@x.io,Bob\n"
FILE = "_email,_name\na@x.io,Anna\nb@x.io,Bob\nnew@x.io,New\na@x.io,Anne\nnew@x.io,Newer\n"


@pytest.fixture(scope="session")
def divided(servers: Servers) -> str:
    url = new_database(servers, "partitioned")
    partition_records(url, 4)
    return url


@pytest.fixture
async def partitioned(servers: Servers, divided: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, divided, redis_number(servers, 0))) as opened:
        yield opened


async def engine_of(runtime: Runtime, name: str) -> ImportEngine:
    async with runtime.database.transaction() as session:
        return ImportEngine(runtime, AccountId(await accounts.account_named(session, name)))


async def test_records_in_partitions_are_written_counted_and_brought_back(partitioned: Runtime) -> None:
    for name, options in (("direct", {}), ("staged", {"staged": True}), ("filled", {"only_empty": True})):
        engine = await engine_of(partitioned, name)
        first = await engine.run(BEFORE, **options)
        before = await dump(engine)
        imported = await engine.run(FILE, **options)
        law(imported)
        changed = 0 if name == "filled" else 2
        counted = (first.created, imported.created, imported.updated, imported.unchanged)
        assert counted == (2, 1, 3 if changed else 0, 1 if changed else 4)
        assert (await undo(engine, imported)).state == "finished"
        assert await dump(engine) == before
    where = await engine.sql("SELECT count(DISTINCT tableoid) AS parts FROM records")
    assert where[0]["parts"] > 1


async def test_all_unique_indexes_of_records_have_the_account(database_url: str) -> None:
    """Else they could not be divided by it; nor could what refers to other tables, or numbers its rows."""
    connection = await asyncpg.connect(database_url)
    without = await connection.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'records'::regclass AND indisunique "
        "AND NOT (SELECT attnum FROM pg_attribute WHERE attrelid = indrelid AND attname = 'account_id') = ANY(indkey)"
    )
    foreign = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'records'::regclass AND contype = 'f'"
    )
    numbered = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'records'::regclass "
        "AND (attidentity <> '' OR attgenerated <> '')"
    )
    assert (without, foreign, numbered) == ([], [], [])
    # PostgreSQL takes only what is immutable for a generated column.
    moment = CHANGED_AT.replace("excluded.updated_at", "given").replace("r.updated_at", "held")
    await connection.execute(
        f"CREATE TEMPORARY TABLE scratch (given timestamptz, held timestamptz, "
        f"later timestamptz GENERATED ALWAYS AS ({moment}) STORED)"
    )
    await connection.close()
