"""Records as they are read, by connections that keep their plans for long."""

import asyncio
import re
from secrets import token_hex

import pytest
from sqlalchemy import text

from app.storage import records
from app.storage.database import Database
from app.storage.overlays.view import use_indexes
from tests.support.servers import Servers, new_database

RECORDS = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
SELECT 1, 'contacts', 'c' || number, '{}', now(), now(), 1, number
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS number"""
SCANS = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'records'"
PLANS_KEPT_AFTER = 5  # executions, by PostgreSQL: a plan that is not dearer than theirs is kept


async def test_a_page_is_read_by_the_index_even_if_it_was_planned_when_there_were_few(servers: Servers) -> None:
    database = Database(await asyncio.to_thread(new_database, servers, f"pages_{token_hex(4)}"), pool_size=1)
    try:
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO accounts (name, created_at) VALUES ('one', now())"))
            await session.execute(text(RECORDS), {"first": 1, "last": 3})
        async with database.read() as session:
            await session.execute(text("VACUUM ANALYZE records"))
        for _ in range(PLANS_KEPT_AFTER + 2):
            async with database.snapshot() as session:
                assert len((await records.page(session, 1, "contacts", limit=1_000)).rows) == 3
        async with database.transaction() as session:
            await session.execute(text(RECORDS), {"first": 4, "last": 500})
        async with database.snapshot() as session:
            assert len((await records.page(session, 1, "contacts", limit=1_000)).rows) == 500
            assert (await session.execute(text(SCANS))).scalar_one() == 0
    finally:
        await database.close()


@pytest.mark.parametrize("type", ["customers", "contacts"])
async def test_keys_are_looked_up_by_their_own_index_whatever_is_known_of_the_table(
    servers: Servers, type: str
) -> None:
    database = Database(await asyncio.to_thread(new_database, servers, f"keys_{token_hex(4)}"), pool_size=1)
    found = f"SELECT data FROM records WHERE account_id = 1 AND type = '{type}' AND key = 'c1'"
    try:
        async with database.transaction() as session:
            await use_indexes(session)
            plan = str((await session.execute(text(f"EXPLAIN (FORMAT JSON) {found}"))).scalar_one())
    finally:
        await database.close()
    assert re.findall(r"'Index Name': '(\w+)'", plan) == ["records_pkey"]
