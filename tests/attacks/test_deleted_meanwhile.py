"""What is deleted while it is downloaded must not look whole, and what never was there is not found."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from app.errors import SourceLost
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.observe.events import Event, ResponseCutOff
from app.runs import status
from app.runs.deletion import delete_run
from app.runs.model import AccountId, Run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import PARTS, Account, app_on, client_of, post
from tests.support.observing import Collector
from tests.support.serving import serving

ROWS = 20_000
WIDE = b"_email,_name\n" + b"".join(b"nobody,%s\n" % (b"x" * 1_000) for _ in range(ROWS))  # 20 MB, ten batches


@pytest.fixture
def events() -> list[Event]:
    """What the app of `address` logs."""
    return []


@pytest.fixture
async def address(runtime: Runtime, events: list[Event]) -> AsyncIterator[str]:
    """The app of this process on a real socket, where an answer can break."""
    app = app_on(runtime)
    app.state.runtime = replace(runtime, observe=Collector(events))
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


async def test_a_download_breaks_when_its_import_is_deleted(
    address: str, runtime: Runtime, an_account: Account, finish: Finish, events: list[Event]
) -> None:
    received = 0
    async with httpx.AsyncClient(base_url=address, headers=an_account.headers, timeout=60) as client:
        run = (await client.post("/imports", data=PARTS, files={"file": ("wide.csv", WIDE)})).json()["id"]
        await finish(runtime, run)

        async def download() -> None:
            nonlocal received
            async with client.stream("GET", f"/imports/{run}/failed-rows.csv") as rows:
                async for chunk in rows.aiter_raw():
                    if not received:
                        assert (await client.delete(f"/imports/{run}")).status_code == 204
                    received += len(chunk)

        with pytest.raises(httpx.RemoteProtocolError):
            await download()
        assert 0 < received < len(WIDE)
        assert (await client.get(f"/imports/{run}")).status_code == 404
    assert any(isinstance(each, ResponseCutOff) for each in events)


async def an_import(
    client: httpx.AsyncClient, runtime: Runtime, account: Account, finish: Finish
) -> tuple[AccountId, Run]:
    """An import of three batches, each with one bad row."""
    file = b"_email,_name\n" + b"a@example.org,Ann\nnobody,Bob\n" * 3
    run_id = (await post(client, account, file)).json()["id"]
    await finish(runtime, run_id)
    account_id = AccountId(account.id)
    async with runtime.database.read() as session:
        return account_id, await status.find_run(session, account_id, run_id, retention_days=30)


@pytest.mark.parametrize("way", ["deleted", "pruned"])
async def test_rows_of_a_run_that_goes_away_end_in_an_error(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, way: str
) -> None:
    account_id, run = await an_import(client, runtime, an_account, finish)
    rows = await open_rows(runtime, run, FAILED_ROWS)
    await anext(rows)
    if way == "deleted":
        await delete_run(runtime, account_id, run.id)
    else:
        async with runtime.database.transaction() as session:
            await session.execute(text("DELETE FROM batches WHERE run_id = :id"), {"id": run.id})
            await session.execute(text("UPDATE runs SET pruned_at = now() WHERE id = :id"), {"id": run.id})
    with pytest.raises(SourceLost):
        async for _ in rows:
            pass


async def test_rows_of_a_run_that_stays_end_as_usual(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    _, run = await an_import(client, runtime, an_account, finish)
    whole = b"".join([chunk async for chunk in await open_rows(runtime, run, FAILED_ROWS)])
    assert len(list(csv.reader(io.StringIO(whole.decode(), newline="")))) == 4


async def test_failed_rows_of_an_import_without_a_file_are_not_found(
    runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    """Its server could not be found, so there never was a file."""
    async with client_of(app_on(runtime)) as client:
        source = {"transport": "http", "url": "https://files.invalid/contacts.csv"}
        body = {**PARTS, "overrideExisting": True, "updateOnlyEmptyFields": False, "source": source}
        run = (await client.post("/imports", headers=an_account.headers, json=body)).json()
        address = f"/imports/{run['id']}/failed-rows.csv"
        early = await client.get(address, headers=an_account.headers)
        assert (early.status_code, early.json()["code"]) == (404, "not_found")
        assert "still being fetched" in early.json()["detail"]
        await finish(runtime, run["id"])
        late = await client.get(address, headers=an_account.headers)
        assert (late.status_code, late.json()["code"]) == (404, "not_found")
        assert "could not be fetched" in late.json()["detail"]
