"""All work of an account in one list: imports of every surface, filtered, in the order of acceptance, page by page."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from app.runs.states import ENDED, State
from app.runtime import Runtime
from app.storage.runs import UNFINISHED
from app.web.links import encode_cursor
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post

CUSTOMERS = b"Source_id,Name,Phone\nc1,Ana,\nc2,Bob,1\n"


@pytest.fixture
async def three(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> list[str]:
    """The ids of three runs of two surfaces, in the order of their acceptance. The first has ended, with a bad row."""
    started = [
        await client.post("/v1/customers/importCSV", headers=an_account.headers, files={"file": ("c.csv", CUSTOMERS)}),
        await post(client, an_account, parts={"name": "Prices & more"}),
        await post(client, an_account, parts={"type": "products"}, file=b"productId,productDetailUrl,name,unitPrice\n"),
    ]
    ids = [str(each.json().get("async_action_id", each.json().get("id"))).removeprefix("aa_") for each in started]
    await finish(runtime, ids[0])
    return ids


async def listed(client: httpx.AsyncClient, account: Account, **query: object) -> list[dict[str, Any]]:
    answer = await client.get("/runs", headers=account.headers, params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def ids(client: httpx.AsyncClient, account: Account, **query: object) -> list[str]:
    return [each["id"] for each in await listed(client, account, **query)]


async def test_runs_of_all_surfaces_are_in_one_list_newest_first(
    client: httpx.AsyncClient, an_account: Account, three: list[str]
) -> None:
    newest, named, ended = await listed(client, an_account)

    assert [newest["id"], named["id"], ended["id"]] == three[::-1]
    assert [each["origin"] for each in (newest, named, ended)] == ["connectif", "connectif", "voucherify.csv"]
    counts = ("kind", "status", "step", "total", "created", "failed", "remaining", "done", "outcome", "percent")
    assert {name: ended[name] for name in counts} == {
        "kind": "import",
        "status": "finished",
        "step": "write",
        "total": 2,
        "created": 1,
        "failed": 1,
        "remaining": 0,
        "done": True,
        "outcome": "partial",
        "percent": 100.0,
    }
    assert (named["name"], named["status"], named["fileName"]) == ("Prices & more", "queued", "contacts.csv")
    assert [each.get("queuePosition") for each in (newest, named, ended)] == [2, 1, None]
    assert ended["links"]["details"] == f"http://sluice.test/imports/{ended['id']}"
    assert "errorSummary" not in ended


async def test_every_filter_leaves_what_it_says(
    client: httpx.AsyncClient, an_account: Account, three: list[str]
) -> None:
    ended, named, newest = three
    moment = (await listed(client, an_account, name="Prices & more"))[0]["createdAt"]
    for query, left in (
        ({"kind": "import"}, [newest, named, ended]),
        ({"status": "queued"}, [newest, named]),
        ({"status": "finished"}, [ended]),
        ({"status": "running"}, []),
        ({"type": "products"}, [newest]),
        ({"name": "Prices & more"}, [named]),
        ({"name": "Prices"}, []),
        ({"origin": "voucherify.csv"}, [ended]),
        ({"parentId": ended}, []),
        ({"text": "PRICES &"}, [named]),
        ({"text": "contacts"}, [newest, named]),
        ({"text": "c.c"}, [ended]),
        ({"text": "%"}, []),
        ({"connectionId": "conn_1"}, []),
        ({"since": moment}, [newest, named]),
        ({"before": moment}, [ended]),
        ({"type": "contacts", "status": "queued", "origin": "connectif"}, [named]),
    ):
        assert await ids(client, an_account, **query) == left, query


async def test_pages_hold_every_run_once_whatever_is_accepted_meanwhile(
    client: httpx.AsyncClient, an_account: Account, three: list[str]
) -> None:
    page = (await client.get("/runs?limit=1&name=", headers=an_account.headers)).json()
    assert page == {"links": {}, "results": []}

    seen, address = [], "/runs?limit=1&kind=import"
    while address:
        page = (await client.get(address, headers=an_account.headers)).json()
        seen += [each["id"] for each in page["results"]]
        address = page["links"].get("next", "")
        await post(client, an_account)
    assert seen == three[::-1]


async def test_a_run_is_read_by_its_id_and_says_when_to_ask_again(
    client: httpx.AsyncClient, an_account: Account, three: list[str]
) -> None:
    for run in await listed(client, an_account):
        answer = await client.get(f"/runs/{run['id']}", headers=an_account.headers)
        assert (answer.json(), "retry-after" in answer.headers) == (run, not run["done"])


async def test_runs_are_counted_by_the_day_of_their_acceptance(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, three: list[str]
) -> None:
    aged = """UPDATE runs SET state = 'failed', fail_code = 'file_refused', finished_at = now(),
        created_at = created_at - interval '2 days' WHERE id = :id"""
    async with runtime.database.transaction() as session:
        await session.execute(text(aged), {"id": three[0]})
    answer = await client.get("/runs/daily?days=3", headers=an_account.headers)
    counts = [(each["runs"], each["failed"]) for each in answer.json()["results"]]
    assert counts == [(1, 1), (0, 0), (2, 0)]
    days = [date.fromisoformat(each["day"]) for each in answer.json()["results"]]
    assert [days[2] - each for each in days] == [timedelta(2), timedelta(1), timedelta(0)]
    exports = await client.get("/runs/daily?kind=export&days=1", headers=an_account.headers)
    assert exports.json()["results"] == [{"day": str(days[2]), "runs": 0, "failed": 0}]


async def test_what_was_pruned_is_gone_and_in_no_list(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, three: list[str]
) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET pruned_at = now() WHERE id = :id"), {"id": three[0]})
    assert three[0] not in await ids(client, an_account)
    assert (await client.get(f"/runs/{three[0]}", headers=an_account.headers)).status_code == 410
    unknown = await client.get("/runs/018bcfe568a1c0ffee012345", headers=an_account.headers)
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no run with this id")


async def test_a_key_sees_the_kinds_that_its_scopes_allow(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, three: list[str]
) -> None:
    blind = await a_key(["records:read", "imports:write"], an_account.name)
    reader = await a_key(["imports:read"], an_account.name)
    for path in ("/runs", "/runs?kind=import", f"/runs/{three[0]}"):
        refused = await client.get(path, headers=blind.headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        assert "`imports:read`" in refused.json()["detail"]
        assert (await client.get(path, headers=reader.headers)).status_code == 200
    cancelled = await client.post(f"/runs/{three[0]}/cancel", headers=reader.headers)
    scopes = "`imports:write`, `exports:write` or `syncs:write`"
    assert (cancelled.status_code, cancelled.json()["detail"]) == (403, f"The API key does not have the scope {scopes}")
    assert (await client.get("/runs")).status_code == 401


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("kind=x", "kind"),
        ("status=inProgress", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("before=0.5", "before"),
        ("before=-1", "before"),
        ("before=0001-01-01T00:00:00%2B14:00", "before"),
        ("cursor=x", "cursor"),
        (f"cursor={quote('MjAyNi0wMS0wMVQwMDowMDowMCBh')}", "cursor"),
        (f"cursor={quote(encode_cursor('0001-01-01T00:00:00+23:59 a'))}", "cursor"),
        ("parent_id=x", "parent_id"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    client: httpx.AsyncClient, an_account: Account, query: str, wrong: str
) -> None:
    refused = await client.get(f"/runs?{query}", headers=an_account.headers)
    assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, [wrong])


def test_the_states_of_open_runs_are_those_that_have_not_ended() -> None:
    assert set(UNFINISHED) == set(State) - ENDED
