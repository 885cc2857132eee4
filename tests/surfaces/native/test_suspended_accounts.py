"""A suspended account lets nobody in, through any door, and its work waits; nothing of it is lost."""

import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.accounts.account import change_account
from app.auth.identity import Identity, ensure_live
from app.auth.tokens import token_hash
from app.dashboard.session import PLAIN_COOKIE
from app.errors import Refused
from app.runs.lifecycle import claim_run, give_back
from app.runs.model import RunId
from app.runtime import Runtime
from app.storage import claims
from app.storage.access.accounts import IS_SUSPENDED
from app.storage.people import members
from tests.conftest import NewAccount
from tests.dashboard.people import OWN, PASSWORD, make_person
from tests.support import http
from tests.support.http import Account, finish, post
from tests.support.servers import PEPPER

Headers = Mapping[str, str]


async def switch(client: httpx.AsyncClient, operator: Headers, name: str, *, suspended: bool) -> dict[str, Any]:
    answer = await client.patch(f"/admin/accounts/{name}", headers=operator, json={"suspended": suspended})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def is_due(runtime: Runtime, run_id: str) -> bool:
    async with runtime.database.transaction() as session:
        return run_id in [row["id"] for row in await claims.due(session)]


async def test_its_keys_are_refused_in_the_words_of_each_api_until_it_is_active_again(
    client: httpx.AsyncClient, operator: Headers, an_account: Account
) -> None:
    basic = {"X-App-Id": an_account.key.split(":")[0], "X-App-Token": an_account.key.split(":")[1]}
    issued = await client.post("/v1/oauth/token", headers=basic, data={"grant_type": "client_credentials"})
    assert issued.status_code == 200, issued.text
    token = {"Authorization": f"Bearer {issued.json()['access_token']}"}
    shown = await switch(client, operator, an_account.name, suspended=True)
    assert (shown["status"], shown["quotas"]) == ("suspended", {})
    refused = await client.get("/imports", headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "account_suspended")
    assert refused.json()["detail"] == IS_SUSPENDED
    assert (await post(client, an_account, http.CONTACTS)).status_code == 403
    vouchers = await client.get("/v1/async-actions", headers=token)
    assert (vouchers.status_code, vouchers.json()["key"]) == (403, "account_suspended")
    cordial = await client.get("/v2/jobs/x", headers=an_account.headers)
    assert (cordial.status_code, IS_SUSPENDED in cordial.text) == (403, True)
    wrong = await client.get("/imports", headers={"Authorization": f"apiKey {an_account.key}x"})
    assert wrong.status_code == 401, "only who has the secret learns of it"
    assert (await client.get("/admin/accounts", headers=operator)).status_code == 200

    assert (await switch(client, operator, an_account.name, suspended=False))["status"] == "active"
    for headers in (an_account.headers, token):
        assert (await client.get("/v1/async-actions", headers=headers)).status_code == 200


async def test_what_was_being_sent_when_it_was_suspended_is_not_stored(runtime: Runtime, an_account: Account) -> None:
    ada = await make_person(runtime.database, an_account.name, "admin")
    cookie = Identity(ada.id, session_hash=token_hash(ada.cookie, PEPPER), account_id=an_account.id, role="admin")
    async with runtime.database.transaction() as session:
        await change_account(session, an_account.name, {}, suspended=True)
    for identity in (Identity(an_account.key.split(":")[0]), cookie):
        async with runtime.database.transaction() as session:
            with pytest.raises(Refused) as refused:
                await ensure_live(session, identity)
        assert refused.value.code == "account_suspended"


async def test_an_import_under_way_stops_at_its_next_turn_and_goes_on_when_it_is_active(
    client: httpx.AsyncClient, operator: Headers, an_account: Account, runtime: Runtime
) -> None:
    waiting = (await post(client, an_account, http.CONTACTS)).json()["id"]
    under_way = (await post(client, an_account, http.CONTACTS)).json()["id"]
    claimed = await claim_run(runtime, RunId(under_way))
    assert claimed is not None
    await switch(client, operator, an_account.name, suspended=True)
    await give_back(runtime, claimed)
    for run_id in (waiting, under_way):
        assert not await is_due(runtime, run_id)
        assert await claim_run(runtime, RunId(run_id)) is None

    await switch(client, operator, an_account.name, suspended=False)
    for run_id in (waiting, under_way):
        assert await is_due(runtime, run_id)
        await finish(runtime, run_id)
        ended = (await client.get(f"/runs/{run_id}", headers=an_account.headers)).json()
        assert (ended["status"], ended["remaining"]) == ("finished", 0)


async def test_what_waits_for_it_to_be_active_waits_for_no_worker(
    client: httpx.AsyncClient, operator: Headers, an_account: Account
) -> None:
    async def rows_waiting() -> int:
        shown = re.search(r"^sluice_rows_waiting (\d+)$", (await client.get("/metrics")).text, re.MULTILINE)
        assert shown
        return int(shown[1])

    before = await rows_waiting()
    accepted = (await post(client, an_account, http.CONTACTS)).json()
    assert await rows_waiting() == before + accepted["total"]
    await switch(client, operator, an_account.name, suspended=True)
    assert await rows_waiting() == before


async def test_it_is_in_the_audit_log_once_and_in_the_list(
    client: httpx.AsyncClient, operator: Headers, a_key: NewAccount
) -> None:
    account = await a_key(["audit:read"])
    for suspended in (True, True, False, False):
        await switch(client, operator, account.name, suspended=suspended)
    (entry, before, *_) = (await client.get("/audit", headers=account.headers)).json()["results"]
    assert (entry["action"], before["action"]) == ("account.activated", "account.suspended")
    assert before["summary"] == f"The operator suspended the account {account.name}"
    both = {"suspended": True, "quotas": {"keys": 3}}
    await client.patch(f"/admin/accounts/{account.name}", headers=operator, json=both)
    listed, path = {}, "/admin/accounts?limit=1000"
    while path:
        page = (await client.get(path, headers=operator)).json()
        listed |= {each["name"]: each["status"] for each in page["results"]}
        path = page["links"].get("next")
    assert listed[account.name] == "suspended"


async def test_a_suspended_account_can_be_deleted(
    client: httpx.AsyncClient, operator: Headers, an_account: Account
) -> None:
    path = f"/admin/accounts/{an_account.name}"
    await switch(client, operator, an_account.name, suspended=True)
    deleted = await client.delete(path, headers=operator, params={"confirm": an_account.name})
    assert (deleted.status_code, deleted.json()["status"]) == (202, "deleting")
    refused = await client.patch(path, headers=operator, json={"suspended": False})
    assert (refused.status_code, refused.json()["code"]) == (409, "being_deleted")


async def test_its_people_see_why_and_can_turn_to_another_account(
    client: httpx.AsyncClient, operator: Headers, a_key: NewAccount, runtime: Runtime
) -> None:
    account, other = await a_key(["imports:read"]), await http.make_account(runtime, name=f"zz-{token_hex(4)}")
    ada = await make_person(runtime.database, account.name, "admin")
    async with runtime.database.transaction() as session:
        await members.add_member(session, person_id=ada.id, account_id=other.id, role="viewer", created_by=None)
        await members.join(session, ada.id, other.id)
    await switch(client, operator, account.name, suspended=True)
    transport = httpx.ASGITransport(app=http.app_on(runtime), client=(f"192.0.2.{account.id % 250}", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", headers=OWN) as browser:
        browser.cookies.set(PLAIN_COOKIE, ada.cookie)
        page = await browser.get("/app/jobs")
        assert (page.status_code, IS_SUSPENDED in page.text, "/app/me" in page.text) == (403, True, True)
        assert (await browser.post("/app/keys/new", data={"label": "x", "scopes": "imports:read"})).status_code == 403
        assert (await browser.get("/app/me")).status_code == 200
        assert (await browser.post("/app/me/account", data={"account": str(other.id)})).status_code == 303
        assert (await browser.get("/app/jobs")).status_code == 200

        browser.cookies.clear()
        signed_in = await browser.post("/app/sign-in", data={"email": ada.email, "password": PASSWORD})
        assert signed_in.status_code == 303
        assert other.name in (await browser.get("/app/jobs")).text, "one that is active comes first"
        browser.cookies.clear()
        with_key = await browser.post("/app/sign-in", data={"key": account.key})
        assert (with_key.status_code, IS_SUSPENDED in with_key.text) == (403, True)


async def test_who_looks_for_work_reads_no_account_while_none_is_suspended(runtime: Runtime) -> None:
    """The suspended ones are found once for a statement, in an index of their own."""
    async with runtime.database.transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = str((await session.execute(text(f"EXPLAIN (FORMAT JSON) {claims.DUE}"))).scalar_one())
    assert plan.count("suspended_accounts") == 1
    assert "InitPlan" in plan
