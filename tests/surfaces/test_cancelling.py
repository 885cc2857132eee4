"""Runs that wait or run are cancelled over HTTP: imports, exports, and whatever is in the list of runs."""

import httpx
import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post


async def accept(client: httpx.AsyncClient, account: Account, of: str) -> str:
    """The id of a run that waits."""
    if of == "exports":
        answer = await client.post("/exports", headers=account.headers, json={"type": "contacts"})
    else:
        answer = await post(client, account)
    return str(answer.json()["id"])


@pytest.mark.parametrize("of", ["imports", "exports", "runs"])
async def test_what_waits_is_cancelled_where_its_links_say(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, of: str
) -> None:
    run_id = await accept(client, an_account, of)
    own = f"/{of}/{run_id}"
    link = (await client.get(own, headers=an_account.headers)).json()["links"]["cancel"]
    assert link.endswith(f"{own}/cancel")
    answers = [await client.post(link, headers=an_account.headers) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    answer, seen = answers[0].json(), (await client.get(own, headers=an_account.headers)).json()
    assert answer == answers[1].json() == seen
    assert (answer["status"], answer["done"], answer["failure"]["code"]) == ("cancelled", True, "cancelled")
    assert "cancel" not in answer["links"]
    wrote = "No file was written" if of == "exports" else "Nothing was written; 2 rows were not looked at"
    assert answer["failure"]["detail"].endswith(f" was cancelled. {wrote}")
    assert "Retry-After" not in answers[0].headers
    await work_on(runtime, RunId(run_id), work)
    assert (await client.get(own, headers=an_account.headers)).json() == seen


@pytest.mark.parametrize("of", ["imports", "exports", "runs"])
async def test_what_has_ended_is_not_cancelled_and_others_runs_are_nowhere(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime, finish: Finish, of: str
) -> None:
    run_id = await accept(client, an_account, of)
    path = f"/{of}/{run_id}/cancel"
    for scopes, name, status in ((["imports:read", "exports:read"], an_account.name, 403), (None, None, 404)):
        other = await a_key(scopes or ["imports:write", "exports:write"], name)
        assert (await client.post(path, headers=other.headers)).status_code == status
    await finish(runtime, run_id)
    refused = await client.post(path, headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_ended")
    assert "so nothing was cancelled" in refused.json()["detail"]
