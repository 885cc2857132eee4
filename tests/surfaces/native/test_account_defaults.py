"""The brakes of an account: every way that starts an import or an item sync takes them over, and may set others."""

from typing import Any

import httpx
import pytest

from app.imports.intake import Submission, store_run
from app.runs.holding.brakes import MAX_REMOVED_SHARE, Brakes
from app.runs.kinds import Step
from app.runs.model import AccountId
from app.runtime import Runtime
from app.syncs.intake import settle_limits
from app.syncs.settings import SyncSettings
from tests.conftest import Finish, NewAccount
from tests.support.http import CONTACTS, Account, post

LIMITS = {"maxErrorShare": 0.05, "maxRemoved": 3}


async def put(client: httpx.AsyncClient, account: Account, **limits: Any) -> httpx.Response:
    return await client.put("/account/defaults", headers=account.headers, json=limits)


@pytest.fixture
async def an_admin(a_key: NewAccount) -> Account:
    return await a_key(["admin"])


async def test_imports_take_over_what_they_do_not_set(client: httpx.AsyncClient, an_admin: Account) -> None:
    assert (await client.get("/account/defaults", headers=an_admin.headers)).json() == {}
    for _ in range(2):
        stored = await put(client, an_admin, **LIMITS, maxErrors=None)
        assert (stored.status_code, stored.json()) == (200, LIMITS)
    assert (await client.get("/account/defaults", headers=an_admin.headers)).json() == LIMITS

    async def list_limits(**parts: str) -> dict[str, Any]:
        options = (await post(client, an_admin, parts=parts)).json()["options"]
        return {name: limit for name, limit in options.items() if name.startswith("max")}

    assert await list_limits() == {"maxErrorShare": 0.05}
    assert await list_limits(replace="true") == {**LIMITS, "maxRemovedShare": MAX_REMOVED_SHARE}
    own = {"maxErrorShare": "1", "maxRemoved": "9", "maxRemovedShare": "0.9"}
    assert await list_limits(replace="true", **own) == {"maxErrorShare": 1, "maxRemoved": 9, "maxRemovedShare": 0.9}
    await put(client, an_admin)
    assert await list_limits() == {}


async def test_so_does_what_the_clock_or_a_surface_starts_and_an_item_sync(
    client: httpx.AsyncClient, an_admin: Account, runtime: Runtime
) -> None:
    await put(client, an_admin, **LIMITS, minRows=2)
    account_id = AccountId(an_admin.id)
    file = {"id": "018bcfe568a1c0ffee012345", "plan": {}, "file_bytes": 0, "file_sha256": ""}
    async with runtime.database.transaction() as session:
        started = Submission(account_id, "cordial", "products", None, started_by="sched")  # type: ignore[arg-type]
        run = await store_run(session, runtime, started, Step.FETCH, file, [])
        assert (run.options["brakes"]["min_rows"], run.options["brakes"]["max_removed"]) == (2, None)
        kept = await settle_limits(session, account_id, SyncSettings(mode="full", max_removed_share=None))
        assert kept.brakes == Brakes(max_error_share=0.05, max_removed=3, min_rows=2)
        await session.rollback()


@pytest.mark.parametrize("wrong", [{"maxErrors": -1}, {"maxErrorShare": 2}, {"maxRows": 1}])
async def test_what_cannot_be_is_refused_and_who_may_not_too(
    client: httpx.AsyncClient, an_admin: Account, a_key: NewAccount, wrong: dict[str, Any]
) -> None:
    assert (await put(client, an_admin, **wrong)).json()["errors"][0]["path"] == next(iter(wrong))
    other = await a_key(["imports:write", "imports:read"], an_admin.name)
    assert (await put(client, other, maxErrors=1)).status_code == 403
    assert (await client.get("/account/defaults", headers=other.headers)).json() == {}


async def test_the_rows_of_a_retry_may_be_fewer_than_a_file_must_have(
    client: httpx.AsyncClient, an_admin: Account, runtime: Runtime, finish: Finish
) -> None:
    await put(client, an_admin, minRows=3, maxErrors=7)
    run_id = (await post(client, an_admin, CONTACTS + b"nobody,x,1\n")).json()["id"]
    await finish(runtime, run_id)
    correct = {"corrections": [{"column": "_email", "from": "nobody", "to": "n@example.org"}]}
    for word, body in (("retry", None), ("corrections", correct)):
        again = await client.post(f"/imports/{run_id}/{word}", headers=an_admin.headers, json=body)
        limits = {name: limit for name, limit in again.json()["options"].items() if name in ("minRows", "maxErrors")}
        assert (again.status_code, again.json()["total"], limits) == (201, 1, {"maxErrors": 7})
        # Its row is free for the next one.
        await client.post(f"/imports/{again.json()['id']}/cancel", headers=an_admin.headers)
