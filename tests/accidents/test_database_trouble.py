"""PostgreSQL in trouble: an import waits, says for what, and goes on; nobody counts it as a crash."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.embedded import Servers
from app.imports.engine import work
from app.runs.lifecycle import Stopping, work_on
from app.runs.model import AccountId, Run
from app.runs.status import find_run
from app.runtime import Runtime, open_runtime
from app.storage.access import accounts
from app.storage.database import DatabaseUnavailable
from app.storage.staging import table as staging
from tests.conftest import Finish
from tests.engine.conftest import ImportEngine, law
from tests.support.http import Account, app_on, client_of, make_account, post
from tests.support.limits import fill, small_disk
from tests.support.object_store import Gate
from tests.support.servers import execute, new_database, redis_number, settings_for

ROWS = 20_000
FILE = "_email,_name\n" + "".join(f"contact{number}@example.org,{'Name ' * 50}\n" for number in range(ROWS))

# SQLSTATE -> what it says of the server.
STATES = {
    "53100": "its disk is full",
    "53200": "it has no memory",
    "53300": "it has too many connections",
    "25006": "it can only be read",
    "57P01": "it is being stopped",
    "57P03": "it is starting",
    "58030": "its disk reports errors",
}


@asynccontextmanager
async def troubled(engine: ImportEngine, run: Run, state: str) -> AsyncIterator[None]:
    """PostgreSQL answers like this to whoever writes a batch of the run."""
    name = f"trouble_{token_hex(4)}"
    await engine.sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'in trouble' USING ERRCODE = '{state}'; END $$"
    )
    await engine.sql(
        f"CREATE TRIGGER {name} BEFORE INSERT ON batches FOR EACH ROW WHEN (NEW.run_id = '{run.id}') "
        f"EXECUTE FUNCTION {name}()"
    )
    try:
        yield
    finally:
        await engine.sql(f"DROP FUNCTION {name} CASCADE")


@pytest.mark.parametrize("state", STATES)
async def test_an_import_waits_for_the_database_and_goes_on(engine: ImportEngine, state: str) -> None:
    run = await engine.submit("_email\nana@example.org\n")
    async with troubled(engine, run, state):
        waiting = await engine.slice(run)
    assert (waiting.state, waiting.waiting_for, waiting.crashes) == ("running", "database", 0)
    law(waiting)
    await engine.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
    ended = await engine.slice(run)
    assert (ended.state, ended.waiting_for, ended.created) == ("finished", None, 1)


async def test_a_poll_shows_what_the_import_waits_for(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    poll = f"/imports/{(await post(client, an_account)).json()['id']}"
    engine = ImportEngine(runtime, AccountId(an_account.id))
    async with runtime.database.read() as session:
        run = await find_run(session, engine.account_id, poll.rpartition("/")[2], retention_days=30)

    async def waiting_for() -> str | None:
        shown: dict[str, str] = (await client.get(poll, headers=an_account.headers)).json()
        return shown.get("waitingFor")

    assert await waiting_for() is None
    async with troubled(engine, run, "53100"):
        await engine.slice(run)
    assert await waiting_for() == "database"
    await finish(runtime, run.id)
    assert await waiting_for() is None


async def test_requests_meet_a_database_that_can_only_be_read_with_503(servers: Servers, tmp_path: Path) -> None:
    """As a standby is, until somebody promotes it."""
    name = f"standby_{token_hex(4)}"
    settings = settings_for(tmp_path, await asyncio.to_thread(new_database, servers, name), redis_number(servers, 7))
    async with open_runtime(settings) as runtime, client_of(app_on(runtime)) as client:
        account = await make_account(runtime)
        await execute(servers.database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await runtime.database.close()  # so that the next connection is such a one
        refused = await post(client, account)
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        await execute(servers.database_url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
        # The connection to the standby was closed: nobody has to restart the service.
        assert (await post(client, account)).status_code == 201


async def test_an_import_waits_while_the_disk_of_the_database_is_full(servers: Servers, tmp_path: Path) -> None:
    """The records are on a small disk of their own."""
    name = f"full_{token_hex(4)}"
    url = await asyncio.to_thread(new_database, servers, name)
    # Not in pytest's folder: that is closed to the account that PostgreSQL runs as.
    home = Path(tempfile.mkdtemp(prefix="sluice-disk-"))
    home.chmod(0o711)
    with small_disk(home, "32m") as disk:
        space = disk / "space"
        space.mkdir()
        servers.data_folder.hand_over(space)
        await execute(servers.database_url, f"CREATE TABLESPACE {name} LOCATION '{space}'")
        await execute(url, f"ALTER TABLE records SET TABLESPACE {name}")
        async with open_runtime(settings_for(tmp_path, url, redis_number(servers, 7))) as runtime:
            await wait_and_go_on(runtime, disk)
        await execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
        await execute(servers.database_url, f"DROP TABLESPACE {name}")
    home.rmdir()


async def wait_and_go_on(runtime: Runtime, disk: Path) -> None:
    async with runtime.database.transaction() as session:
        engine = ImportEngine(runtime, AccountId(await accounts.account_named(session, "full")))
    run = await engine.submit(FILE)
    filler = fill(disk)
    waiting = await engine.slice(run)
    assert (waiting.state, waiting.waiting_for, waiting.crashes) == ("running", "database", 0)
    law(waiting)
    assert len(await engine.keys()) == waiting.created < ROWS
    filler.unlink()
    ended = await engine.finish(waiting)
    assert (ended.state, ended.created, ended.crashes) == ("finished", ROWS, 0)


async def test_a_restart_of_the_database_during_a_slice_is_no_crash(servers: Servers, tmp_path: Path) -> None:
    """It is still away when the slice breaks, and so cannot be told at once that the import waits."""
    direct = await asyncio.to_thread(new_database, servers, f"restarted_{token_hex(4)}")
    address = make_url(direct)
    gate = Gate(address.port or 5432)
    url = address.set(host="127.0.0.1", port=gate.port).render_as_string(hide_password=False)
    async with open_runtime(settings_for(tmp_path, url, redis_number(servers, 7))) as runtime:
        async with runtime.database.transaction() as session:
            engine = ImportEngine(runtime, AccountId(await accounts.account_named(session, "restarted")))
        run = await engine.submit("_email\nana@example.org\n")

        async def work_while_away(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
            gate.shut()
            everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            await execute(direct, f"{everybody} AND pid <> pg_backend_pid()")
            asyncio.get_running_loop().call_later(1.5, gate.open)
            return await work(runtime, run, stopping)

        await work_on(runtime, run.id, work_while_away)
        waiting = await engine.get(run)
        assert (waiting.state, waiting.waiting_for, waiting.crashes) == ("running", "database", 0)
        [row] = await engine.sql("SELECT lease_until FROM runs WHERE id = :id", id=run.id)
        assert row["lease_until"] is None
        await engine.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
        assert (await engine.slice(run)).state == "finished"
    gate.shut()


async def test_a_connection_that_breaks_while_rows_are_staged_is_trouble_of_the_database(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COPY goes past SQLAlchemy, which turns the errors of all other statements into ours."""

    async def end_and_yield(data: bytes) -> AsyncIterator[bytes]:
        async with runtime.database.transaction() as other:
            await other.execute(text(f"SELECT pg_terminate_backend({mine})"))
        yield data

    monkeypatch.setattr(staging, "yield_once", end_and_yield)
    with suppress(DatabaseUnavailable):  # there is nothing to commit
        async with runtime.database.transaction() as session:
            mine = (await session.execute(text("SELECT pg_backend_pid()"))).scalar()
            with pytest.raises(DatabaseUnavailable):
                await staging.stage(session, b"k\t1\t{}\n")
