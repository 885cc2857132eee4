"""A run is cancelled and what it has written is taken back, in one request that may be sent again."""

from dataclasses import replace

import httpx
import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post
from tests.surfaces.test_queue import change, read

ROWS = b"_email,_name\n" + b"".join(b"c%03d@example.com,N\n" % number for number in range(40))


async def half_written(client: httpx.AsyncClient, account: Account, runtime: Runtime) -> str:
    """The id of an import of 40 rows of which some are written."""
    run_id = str((await post(client, account, ROWS)).json()["id"])
    short = replace(runtime, settings=runtime.settings.model_copy(update={"batch_rows": 5, "slice_seconds": 0.0}))
    await work_on(short, RunId(run_id), work)
    return run_id


async def count_records(client: httpx.AsyncClient, account: Account) -> int:
    return len((await read(client, account, "/records/contacts?limit=100"))["results"])


@pytest.mark.parametrize("of", ["imports", "runs"])
async def test_what_was_written_is_taken_back(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, of: str
) -> None:
    run_id = await half_written(client, an_account, runtime)
    written = await count_records(client, an_account)
    assert 0 < written < 40
    path = f"/{of}/{run_id}/cancel?undo=true"
    answers = [(await client.post(path, headers=an_account.headers)).json() for _ in range(2)]
    assert [each["status"] for each in answers] == ["cancelled", "cancelled"]
    assert f"{written} rows were written and stay" in answers[0]["failure"]["detail"]
    assert answers[0]["undoneBy"] == answers[1]["undoneBy"]
    await finish(runtime, answers[0]["undoneBy"])
    assert await count_records(client, an_account) == 0
    undo = await read(client, an_account, f"/runs/{answers[0]['undoneBy']}")
    assert (undo["status"], undo["undo"]["removed"]) == ("finished", written)


async def test_where_nothing_was_written_there_is_nothing_to_take_back(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    run_id = (await post(client, an_account)).json()["id"]
    answer = await client.post(f"/imports/{run_id}/cancel?undo=true", headers=an_account.headers)
    assert (answer.status_code, answer.json()["status"], "undoneBy" in answer.json()) == (200, "cancelled", False)


async def test_what_could_not_be_taken_back_is_not_cancelled_either(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime
) -> None:
    run_id = await half_written(client, an_account, runtime)
    path = f"/imports/{run_id}/cancel?undo=true"
    writer = await a_key(["imports:write"], an_account.name)
    assert (await client.post(path, headers=writer.headers)).status_code == 403
    await change(runtime, run_id, "options = options - 'undoable'")
    refused = await client.post(path, headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_undoable")
    assert refused.json()["detail"].endswith(". Nothing was cancelled: send it without `undo`")
    assert (await read(client, an_account, f"/runs/{run_id}"))["status"] in ("queued", "running")


async def test_an_undo_that_is_cancelled_has_undone_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = (await post(client, an_account)).json()["id"]
    await finish(runtime, run_id)
    undo = (await client.post(f"/imports/{run_id}/undo", headers=an_account.headers)).json()["id"]
    cancelled = (await client.post(f"/runs/{undo}/cancel", headers=an_account.headers)).json()
    assert cancelled["failure"]["detail"] == "The undo was cancelled. Nothing was written; 2 rows were not looked at"
    assert "undoneBy" not in await read(client, an_account, f"/imports/{run_id}")
    again = (await client.post(f"/imports/{run_id}/undo", headers=an_account.headers)).json()["id"]
    await finish(runtime, again)
    assert await count_records(client, an_account) == 0
