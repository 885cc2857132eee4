"""The audit log is listed newest first, filtered, page by page, for those who may see it, and forgotten in time."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from app.audit.pruning import forget_old_deeds
from app.auth.operators import create_operator_key
from app.runtime import Runtime
from app.storage.audit.rows import Filter, select_page
from tests.audit.conftest import Deeds
from tests.conftest import NewAccount
from tests.dashboard.people import make_person
from tests.support.http import Account
from tests.support.servers import PEPPER

DEEDS = """
INSERT INTO audit_log (account_id, at, actor_kind, actor_id, action, what_id, fields)
SELECT :account_id, now() - make_interval(secs => number), 'key', 'key-' || number % 7, (ARRAY['key.created',
    'connection.changed', 'import.started'])[number % 3 + 1], 'what-' || number % 1000, '{}'
FROM generate_series(1, :number) AS number"""


async def read(client: httpx.AsyncClient, account: Account, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/audit", headers=account.headers, params=query)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def summaries(found: Sequence[dict[str, Any]]) -> list[str]:
    return [each["summary"] for each in found]


async def test_an_entry_tells_who_did_what_to_what_from_where(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    account = await a_key(["admin"])
    key_id = account.key.split(":")[0]
    place = {"name": "shop", "transport": "ftp", "host": "a.example.com"}
    stored = await client.post("/connections", headers=account.headers, json=place)
    path = f"/connections/{stored.json()['id']}"
    changed = await client.put(path, headers=account.headers, json=place | {"host": "b.example.com", "port": 2121})
    newest, *_ = found = await read(client, account)
    assert summaries(found) == [
        "test changed the connection shop: host, port",
        "test created the connection shop",
        "The service created the API key test",
        f"The service created the account {account.name}",
    ]
    assert newest | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "action": "connection.changed",
        "summary": "test changed the connection shop: host, port",
        "actor": {"kind": "key", "id": key_id, "name": "test"},
        "what": {"kind": "connection", "id": stored.json()["id"], "name": "shop"},
        "fields": ["host", "port"],
        "surface": "native",
        "address": "127.0.0.1",
        "requestId": changed.headers["X-Request-Id"],
    }


async def test_filters_narrow_the_list_and_pages_go_through_all_of_it(
    client: httpx.AsyncClient, a_key: NewAccount, runtime: Runtime
) -> None:
    account = await a_key(["audit:read"])
    async with runtime.database.transaction() as session:
        await session.execute(text(DEEDS), {"account_id": account.id, "number": 60})
    ada = await make_person(runtime.database, account.name, "admin")
    whole = await read(client, account)
    made_before = [each for each in whole if each["what"].get("id", "").startswith("what-")]
    assert len(made_before) == 60
    of_key = await read(client, account, actor="key-3")
    assert of_key == [each for each in whole if each["actor"].get("id") == "key-3"]
    both = await read(client, account, actor="key-3", action="import.started")
    assert both == [each for each in of_key if each["action"] == "import.started"]
    assert await read(client, account, what="what-5") == [e for e in whole if e["what"].get("id") == "what-5"]
    assert await read(client, account, actor=ada.email.upper()) == []
    assert len(await read(client, account, actor="service")) == len(whole) - 60
    since, before = made_before[40]["at"], made_before[20]["at"]
    assert await read(client, account, since=since, before=before) == made_before[21:41]

    seen, following = [], f"/audit?limit=7&since={made_before[-1]['at']}"
    while following:
        page = (await client.get(following, headers=account.headers)).json()
        seen, following = seen + page["results"], page["links"].get("next")
    assert seen == whole[: len(seen)]
    assert seen[-1] == made_before[-1]


async def test_who_may_not_see_it_and_what_is_no_filter_is_refused(
    client: httpx.AsyncClient, a_key: NewAccount, an_account: Account
) -> None:
    usual = await a_key(["imports:read", "imports:write", "connections:write"])
    assert (await client.get("/audit", headers=usual.headers)).status_code == 403
    for query in ({"action": "key.stolen"}, {"cursor": "none"}, {"cursor": "MjAyNi0xMS0yOFQwNzoxNiswMDowMCB4"}):
        answer = await client.get("/audit", headers=an_account.headers, params=query)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, next(iter(query)))


async def test_what_the_operator_does_over_http_is_the_operators_and_has_no_address(
    client: httpx.AsyncClient, a_key: NewAccount, runtime: Runtime
) -> None:
    account = await a_key(["audit:read"])
    async with runtime.database.transaction() as session:
        key = await create_operator_key(session, label="console", days=None, pepper=PEPPER)
    operator, quotas = {"Authorization": f"apiKey {key}"}, {"quotas": {"openImports": 3}}
    changed = await client.patch(f"/admin/accounts/{account.name}", headers=operator, json=quotas)
    assert changed.status_code == 200
    (entry,) = await read(client, account, actor="operator")
    assert entry["actor"] == {"kind": "operator", "id": key.split(":")[0]}
    assert (entry["action"], entry["requestId"]) == ("account.changed", changed.headers["X-Request-Id"])
    assert "address" not in entry


async def test_the_operator_lists_what_is_in_no_accounts_log(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as session:
        key = await create_operator_key(session, label="console", days=None, pepper=PEPPER)
    key_id, headers = key.split(":")[0], {"Authorization": f"apiKey {key}"}
    names = [f"gone-{token_hex(4)}" for _ in range(3)]
    for name in names:
        made = await client.post("/admin/accounts", headers=headers, json={"name": name})
        path = f"/admin/accounts/{made.json()['name']}"
        deleted = await client.delete(path, headers=headers, params={"confirm": name})
        assert deleted.status_code == 202
    begun = {"action": "account.deletion_begun", "actor": key_id}
    found = (await client.get("/admin/audit", headers=headers, params=begun)).json()["results"]
    assert summaries(found) == [f"The operator began to delete the account {name}" for name in reversed(names)]
    assert found[0]["address"] == "127.0.0.1", "the operator may know where its machines are"

    seen, following = [], f"/admin/audit?limit=2&actor={key_id}"
    while following:
        page = (await client.get(following, headers=headers)).json()
        seen, following = seen + page["results"], page["links"].get("next")
    assert seen == found
    of_key = (await client.get("/admin/audit", headers=headers, params={"what": key_id})).json()["results"]
    assert summaries(of_key) == ["The service created the operator's key console"]
    assert (await client.get("/admin/audit", headers=an_account.headers)).status_code == 403
    assert (await client.get("/admin/audit")).status_code == 401
    assert (await client.get("/admin/audit?account=1", headers=headers)).status_code == 422


# Of a log whose rows are longer than a page of PostgreSQL: what a list reads must not grow with it.
READ: Final = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}"


@pytest.mark.parametrize("filters", [{}, {"actor": "key-3"}, {"action": "key.created"}, {"what": "what-5"}])
async def test_a_page_of_a_long_log_is_read_from_its_index(
    runtime: Runtime, an_account: Account, filters: dict[Filter, str]
) -> None:
    """With ten million rows of twenty accounts each took 1.4 to 2.3 ms (loaded). What decides is how many pages of
    PostgreSQL are read."""
    async with runtime.database.transaction() as session:
        await session.execute(text(DEEDS), {"account_id": an_account.id, "number": 20_000})
        await session.execute(text("ANALYZE audit_log"))
        wanted = select_page(an_account.id, filters, since=None, before=None, after=None, limit=50)
        statement = wanted.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        plan = (await session.execute(text(READ.format(statement)))).scalar_one()[0]["Plan"]
        await session.rollback()
    assert plan["Actual Rows"] >= 20
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200
    assert "Seq Scan" not in str(plan)


async def test_what_is_too_old_is_forgotten_and_the_rest_stays(
    runtime: Runtime, an_account: Account, deeds: Deeds
) -> None:
    old = {"account_id": an_account.id, "number": 3}
    async with runtime.database.transaction() as session:
        await session.execute(text(DEEDS.replace("now()", "now() - make_interval(days => 365)")), old)
        await session.execute(text(DEEDS.replace("now()", "now() - make_interval(days => 364)")), old)
    await forget_old_deeds(runtime)
    assert [row["what_id"] for row in await deeds(an_account.id)][-3:] == ["what-1", "what-2", "what-3"]
    assert len([row for row in await deeds(an_account.id) if row["actor_id"]]) == 3
