"""The product behind PgBouncer in transaction mode: three sessions of PostgreSQL for everything that it does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from sqlalchemy import text

from app.embedded import Servers
from app.errors import Misconfigured
from app.runtime import Runtime, build_database, open_runtime
from app.servers import reach_database
from app.storage.database import DatabaseUnavailable
from app.storage.migrate import upgrade
from tests.support.http import Account, app_on, client_of, finish, make_account, post
from tests.support.pooler import OLDEST, Pooler, find_pooler, running_pooler
from tests.support.servers import execute, new_database, redis_number, settings_for

SESSIONS, STATEMENTS, ROWS, POLLERS = 3, 20, 500, 20
TIMEOUT = "ALTER ROLE sluice IN DATABASE {name} SET idle_in_transaction_session_timeout = '15s'"
HELD = "SELECT pg_backend_pid(), count(*) FROM pg_prepared_statements WHERE name LIKE 'PGBOUNCER%'"


@pytest.fixture(scope="module")
def pgbouncer() -> str:
    program, version = find_pooler()
    if version[:2] < OLDEST:
        found = f"this machine has {'.'.join(map(str, version))}" if program else "this machine has none"
        pytest.skip(f"PgBouncer keeps prepared statements since {OLDEST[0]}.{OLDEST[1]}, and {found}")
    return program


@pytest.fixture
def pooler(pgbouncer: str, servers: Servers) -> Iterator[Pooler]:
    url, sizes = new_database(servers, free_name("pooled")), {"default_pool_size": SESSIONS}
    with running_pooler(pgbouncer, url, max_prepared_statements=STATEMENTS, **sizes) as running:
        yield running


def free_name(begins: str) -> str:
    return f"{begins}_{token_hex(4)}"


@pytest.fixture
async def pooled(pooler: Pooler, servers: Servers, tmp_path: Path) -> AsyncIterator[Runtime]:
    """An API and a worker in one process, with more connections than the pooler has sessions."""
    await execute(pooler.behind.geturl(), TIMEOUT.format(name=pooler.behind.path[1:]))
    settings = settings_for(tmp_path, pooler.url, redis_number(servers, 8), batch_rows=100, slice_seconds=0.01)
    async with open_runtime(settings) as runtime:
        yield runtime


def contacts(name: str) -> bytes:
    return b"_email,_name\n" + b"".join(b"a%d@example.org,%s\n" % (row, name.encode()) for row in range(ROWS))


async def test_imports_undo_lists_and_twenty_pollers_need_three_sessions(pooled: Runtime, pooler: Pooler) -> None:
    account = await make_account(pooled)
    async with client_of(app_on(pooled)) as client:
        first = await imported(client, pooled, account, contacts("Ana"))
        pollers = [asyncio.create_task(poll(client, account, number)) for number in range(POLLERS)]
        again, staged = await asyncio.gather(
            imported(client, pooled, account, contacts("Bo")),
            imported(client, pooled, await make_account(pooled), contacts("Cy"), dryRun="true"),
        )
        undone = await client.post(f"/imports/{again['id']}/undo", headers=account.headers)
        await finish(pooled, undone.json()["id"])
        for poller in pollers:
            poller.cancel()
        polled = await asyncio.gather(*pollers, return_exceptions=True)
        records = (await client.get("/records/contacts?limit=200", headers=account.headers)).json()
    assert [type(each) for each in polled] == [asyncio.CancelledError] * POLLERS, polled
    assert (first["created"], again["updated"], staged["created"]) == (ROWS, ROWS, ROWS)
    assert {record["data"]["_name"] for record in records["results"]} == {"Ana"}
    held = await look_into_every_session(pooled)
    assert len(held) == SESSIONS
    assert 0 < max(held.values()) <= STATEMENTS
    async with pooled.database.read() as session:
        assert (await session.execute(text("SHOW idle_in_transaction_session_timeout"))).scalar_one() == "15s"


async def imported(
    client: httpx.AsyncClient, runtime: Runtime, account: Account, file: bytes, **parts: str
) -> dict[str, object]:
    answer = await post(client, account, file, parts=parts)
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])
    found: dict[str, object] = (await client.get(f"/imports/{answer.json()['id']}", headers=account.headers)).json()
    return found


async def poll(client: httpx.AsyncClient, account: Account, number: int) -> None:
    """Lists, waits, looks: whatever programs ask while an import is at work. Raises AssertionError for an error."""
    while True:
        listed = await client.get("/runs?limit=5", headers=account.headers)
        assert listed.status_code == 200, listed.text
        path, prefer = f"/runs/{listed.json()['results'][0]['id']}", {"Prefer": "wait=1"} if number % 2 else {}
        one = await client.get(path, headers=account.headers | prefer)
        assert one.status_code == 200, one.text


async def look_into_every_session(runtime: Runtime) -> dict[int, int]:
    """Process of PostgreSQL -> the prepared statements that the pooler holds there."""
    all_in = asyncio.Barrier(SESSIONS)

    async def look() -> tuple[int, int]:
        async with runtime.database.transaction() as session:
            pid, held = (await session.execute(text(HELD))).one()
            await all_in.wait()
            return pid, held

    return dict(await asyncio.gather(*(look() for _ in range(SESSIONS))))


async def test_a_start_behind_a_pooler_says_what_is_missing(pooler: Pooler) -> None:
    database = build_database(pooler.url, pool_size=1)
    with pytest.raises(Misconfigured, match=r"SET idle_in_transaction_session_timeout = '15s' for the user"):
        await reach_database(database)
    await database.close()
    with pytest.raises(Misconfigured, match="give the address of PostgreSQL itself"):
        await asyncio.to_thread(upgrade, pooler.url)


async def test_a_pooler_that_refuses_our_settings_is_told_what_to_overlook(pgbouncer: str, servers: Servers) -> None:
    with running_pooler(pgbouncer, servers.database_url, ignore_startup_parameters="extra_float_digits") as strict:
        database = build_database(strict.url, pool_size=1)
        with pytest.raises(Misconfigured, match="Set ignore_startup_parameters = options in PgBouncer"):
            await reach_database(database)
        await database.close()


async def test_after_a_migration_a_pooler_has_to_open_new_sessions(pooled: Runtime, pooler: Pooler) -> None:
    """As the page on scaling says: what was prepared before returns other columns now, in sessions that stay."""
    look = text("SELECT * FROM accounts")
    async with pooled.database.transaction() as session:
        await session.execute(look)
    await execute(pooler.behind.geturl(), "ALTER TABLE accounts ADD COLUMN more integer")
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            async with pooled.database.transaction() as session:
                await session.execute(look)
    await pooler.reconnect()
    async with pooled.database.transaction() as session:
        assert "more" in (await session.execute(look)).keys()  # noqa: SIM118


async def test_a_pooler_that_keeps_no_statements_is_named(pgbouncer: str, servers: Servers) -> None:
    url = await asyncio.to_thread(new_database, servers, name := free_name("unprepared"))
    await execute(url, TIMEOUT.format(name=name))
    with running_pooler(pgbouncer, url, max_prepared_statements=0) as old:
        database = build_database(old.url, pool_size=SESSIONS)

        async def look() -> None:
            for _ in range(20):
                async with database.read() as session:
                    await session.execute(text("SELECT pg_sleep(0.001)"))

        with pytest.raises(DatabaseUnavailable, match=r"Use PgBouncer 1.21 or newer, with max_prepared_statements"):
            await asyncio.gather(*(look() for _ in range(SESSIONS)))
        await database.close()
