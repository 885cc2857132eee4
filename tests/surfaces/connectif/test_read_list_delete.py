"""Reading, listing and deleting imports, as clients of Connectif's rely on it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.errors import REFUSALS
from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runs.states import State
from app.runtime import Runtime
from app.surfaces.connectif.vocabulary import ANSWERS, STATUSES
from app.surfaces.connectif.wire.imports import Import
from tests.conftest import Finish
from tests.support.http import Account, app_on, client_of, post, stored_files

MIXED = (
    b"_email,_name,_points,shoeSize\n"
    b"a@example.org,Ann,1,38\n"
    b"not an address,Bob,2,42\n"
    b"c@example.org,Cid,many,40\n"
    b"d@example.org,Dan\n"
)


async def ended(
    client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish, file: bytes = MIXED
) -> Any:
    run = (await post(client, account, file)).json()
    await finish(runtime, run["id"])
    return (await client.get(f"/imports/{run['id']}", headers=account.headers)).json()


async def test_bad_rows_end_finished_with_their_errors_counted_and_grouped(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await ended(client, an_account, runtime, finish)

    counts = ("status", "total", "success", "errors", "created", "remaining", "done", "outcome", "percent")
    assert {name: run[name] for name in counts} == {
        "status": "finished",
        "total": 4,
        "success": 1,
        "errors": 3,
        "created": 1,
        "remaining": 0,
        "done": True,
        "outcome": "partial",
        "percent": 100.0,
    }
    assert run["errorReportFileUrl"] == run["links"]["failedRows"]
    groups = {(each["code"], each["field"]): each for each in run["errorSummary"]}
    assert groups["type_error", "_points"]["samples"] == [{"line": 4, "row": 3, "value": "many"}]
    assert groups["missing_cell", None]["count"] == 1
    assert [(each["code"], each["subject"]) for each in run["warnings"]] == [("unknown_column", "shoeSize")]
    assert run["startedAt"] <= run["finishedAt"] < run["expiresAt"]
    assert "queuePosition" not in run
    assert "etaSeconds" not in run


async def test_every_answer_has_the_documented_shape(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await ended(client, an_account, runtime, finish)
    assert Import.model_validate(run)
    assert None not in run.values()


async def test_a_poll_says_when_to_ask_again_until_the_end(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account)).json()
    path = f"/imports/{run['id']}"
    assert int((await client.get(path, headers=an_account.headers)).headers["retry-after"]) > 0
    await finish(runtime, run["id"])
    assert "retry-after" not in (await client.get(path, headers=an_account.headers)).headers


async def test_a_running_import_is_in_progress(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    run = (await post(client, an_account)).json()
    async with runtime.database.transaction() as session:
        await session.execute(
            text("UPDATE runs SET state = 'running', started_at = now() WHERE id = :id"), {"id": run["id"]}
        )
    shown = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
    assert (shown["status"], shown["done"]) == ("inProgress", False)
    assert "finishedAt" not in shown


async def test_an_import_whose_file_is_gone_ends_in_error_with_the_reason(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    run = (await post(client, an_account)).json()
    for name in stored_files(runtime):
        (runtime.blobs.root / name).unlink()
    await work_on(runtime, RunId(run["id"]), work)

    shown = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()

    assert (shown["status"], shown["outcome"], shown["failure"]["code"]) == ("error", "none", "source_missing")
    assert shown["total"] == shown["remaining"] == 2


@pytest.mark.parametrize("spelled", ["{}", "aa_{}", "{}/"])
async def test_an_id_is_known_with_and_without_the_other_vendors_prefix(
    client: httpx.AsyncClient, an_account: Account, spelled: str
) -> None:
    run = (await post(client, an_account)).json()
    answer = await client.get(f"/imports/{spelled.format(run['id'])}", headers=an_account.headers)
    assert answer.json()["id"] == run["id"]


@pytest.mark.parametrize("unknown", ["018bcfe568a1c0ffee012345", "x", "%00", "'; DROP TABLE runs", "a" * 500])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_id_is_not_found(
    client: httpx.AsyncClient, an_account: Account, method: str, unknown: str
) -> None:
    answer = await client.request(method, f"/imports/{unknown}", headers=an_account.headers)
    assert (answer.status_code, answer.json()["title"], answer.json()["code"]) == (404, "Not Found", "not_found")
    assert answer.headers["content-type"] == "application/json"


async def test_an_ended_import_can_be_deleted_with_its_file_and_its_records_stay(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    before = stored_files(runtime)
    run = await ended(client, an_account, runtime, finish)
    path = f"/imports/{run['id']}"

    answer = await client.delete(path, headers=an_account.headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(path, headers=an_account.headers)).status_code == 404
    assert (await client.delete(path, headers=an_account.headers)).status_code == 404
    assert stored_files(runtime) == before
    assert (await client.get("/records/contacts/a@example.org", headers=an_account.headers)).status_code == 200


async def test_an_import_that_has_not_ended_cannot_be_deleted(client: httpx.AsyncClient, an_account: Account) -> None:
    run = (await post(client, an_account)).json()
    answer = await client.delete(f"/imports/{run['id']}", headers=an_account.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "import_not_ended")
    assert (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).status_code == 200


async def test_a_pruned_import_is_gone_since_a_day_that_is_named(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await ended(client, an_account, runtime, finish)
    async with runtime.database.transaction() as session:
        pruned = text("UPDATE runs SET pruned_at = '2024-05-06T00:00:00Z', blob = NULL WHERE id = :id")
        await session.execute(pruned, {"id": run["id"]})
    for path in ("", "/problems", "/failed-rows.csv"):
        answer = await client.get(f"/imports/{run['id']}{path}", headers=an_account.headers)
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
        assert "2024-05-06" in answer.json()["detail"]
    assert (await client.get("/imports", headers=an_account.headers)).json()["results"] == []


async def test_the_list_is_newest_first_in_pages_that_lead_to_each_other(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    ids = [(await post(client, an_account)).json()["id"] for _ in range(5)]

    seen, address = [], "http://sluice.test/imports?pageSize=2"
    pages = []
    while address:
        page = (await client.get(address, headers=an_account.headers)).json()
        pages.append(page["links"])
        seen += [each["id"] for each in page["results"]]
        address = page["links"].get("next")

    assert seen == ids[::-1]
    assert [sorted(links) for links in pages] == [["next"], ["next", "prev"], ["prev"]]
    back = (await client.get(pages[1]["prev"], headers=an_account.headers)).json()
    assert [each["id"] for each in back["results"]] == ids[:2:-1]


async def test_the_list_can_be_filtered_by_status_and_type(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    done = await ended(client, an_account, runtime, finish)
    waiting = (await post(client, an_account)).json()

    async def ids(query: str) -> list[str]:
        answer = await client.get(f"/imports/?{query}", headers=an_account.headers)
        return [each["id"] for each in answer.json()["results"]]

    assert await ids("status=finished") == [done["id"]]
    assert await ids("status=queued&type=contacts") == [waiting["id"]]
    assert await ids("status=cancelled") == []
    assert await ids("type=products") == []


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99999999999999999999", "pageSize=0", "pageSize=101", "status=done", "type=%00"]
)
async def test_a_wrong_query_is_named(client: httpx.AsyncClient, an_account: Account, query: str) -> None:
    answer = await client.get(f"/imports?{query}", headers=an_account.headers)
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["validationErrors"]] == [query.partition("=")[0]]


def test_every_state_and_every_refusal_has_a_word() -> None:
    assert STATUSES.keys() == set(State)
    assert ANSWERS.keys() == REFUSALS.keys() | {"internal_error"}


async def test_links_begin_with_the_public_address(runtime: Runtime, an_account: Account) -> None:
    async with client_of(app_on(runtime, public_url="https://imports.example.com/")) as client:
        run = (await post(client, an_account)).json()
        page = (await client.get("/imports?pageSize=1&page=2", headers=an_account.headers)).json()
    assert run["links"]["self"] == f"https://imports.example.com/imports/{run['id']}"
    assert page["links"] == {"prev": "https://imports.example.com/imports?page=1&pageSize=1"}
