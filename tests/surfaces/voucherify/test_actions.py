"""Async actions: what a poller sees from the acceptance to the end, and the list of them."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from tests.conftest import NewAccount
from tests.support import http
from tests.support.http import app_on, client_of
from tests.surfaces.voucherify.conftest import Voucherify

ROWS = "source_id,name\n" + "".join(f"s{n},Name {n}\n" for n in range(30))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_an_action_is_in_progress_from_its_acceptance_on(voucherify: Voucherify) -> None:
    action_id = await voucherify.send(ROWS)
    action = await voucherify.action(action_id)

    assert TIME.fullmatch(action.pop("created_at"))
    assert TIME.fullmatch(action.pop("updated_at"))
    assert re.fullmatch(r"v-[0-9a-f]{18}", action.pop("request_id"))
    assert action == {
        "id": action_id,
        "type": "CUSTOMERS.IMPORT_CSV",
        "status": "IN_PROGRESS",
        "operation_status": "UNKNOWN",
        "progress": 0,
        "object": "async_action",
    }


async def test_the_end_comes_in_one_step_after_the_rows(voucherify: Voucherify) -> None:
    app = app_on(voucherify.runtime, batch_rows=10, slice_seconds=0.000_001)
    voucherify.runtime = app.state.runtime
    async with client_of(app) as client:
        voucherify.client = client
        action_id = await voucherify.send(ROWS)
        seen = [await voucherify.action(action_id)]
        while seen[-1]["status"] == "IN_PROGRESS":
            await voucherify.slice(action_id)
            seen.append(await voucherify.action(action_id))
            await asyncio.sleep(0)

        *before, last = seen
        assert [each["progress"] for each in before] == sorted(each["progress"] for each in before)
        assert all(each["progress"] < 100 for each in before)
        assert not any({"result", "processing_time"} & each.keys() for each in before)
        assert {each["operation_status"] for each in before} == {"UNKNOWN"}
        assert (last["status"], last["operation_status"], last["progress"]) == ("DONE", "SUCCESS", 100)
        assert last["result"]["done_count"] == 30
        took = datetime.fromisoformat(last["updated_at"]) - datetime.fromisoformat(last["created_at"])
        assert last["processing_time"] == round(took / timedelta(milliseconds=1))
        assert (await voucherify.customer("s29"))["name"] == "Name 29"


async def test_a_run_that_cannot_be_processed_fails_with_a_result_that_pollers_can_read(voucherify: Voucherify) -> None:
    action_id = await voucherify.send(ROWS)
    voucherify.runtime.blobs.delete(await blob_of(voucherify, action_id))
    await voucherify.work(action_id)

    action = await voucherify.action(action_id)
    assert (action["status"], action["operation_status"]) == ("FAILED", "FAILED")
    assert action["result"] == {
        "message": "0 customer(s) imported successfully, 0 failed. The stored file no longer exists",
        "failed": [],
        "done_count": 0,
        "failed_count": 0,
    }


async def blob_of(voucherify: Voucherify, action_id: str) -> str:
    async with voucherify.runtime.database.read() as session:
        found = await session.execute(text("SELECT blob FROM runs WHERE id = :id"), {"id": action_id[3:]})
        return str(found.scalar_one())


async def test_the_same_run_is_an_import_with_and_without_its_prefix(voucherify: Voucherify) -> None:
    action_id = await voucherify.send(ROWS)
    await voucherify.work(action_id)
    for name in (action_id, action_id.removeprefix("aa_")):
        shown = (await voucherify.get(f"/imports/{name}")).json()
        assert (shown["status"], shown["type"], shown["created"]) == ("finished", "customers", 30)


async def test_the_request_id_of_an_action_is_that_of_its_request(voucherify: Voucherify) -> None:
    answer = await voucherify.post("/v1/customers/importCSV", files={"file": ("a.csv", ROWS.encode())})
    action = await voucherify.action(answer.json()["async_action_id"])
    assert action["request_id"] == f"v-{answer.headers['x-request-id']}"


async def test_actions_are_listed_newest_first_without_their_results(voucherify: Voucherify) -> None:
    ids = [await voucherify.send(ROWS) for _ in range(3)]
    await voucherify.work(ids[0])

    page = (await voucherify.get("/v1/async-actions", limit=2)).json()
    assert (page["object"], page["data_ref"], page["has_more"]) == ("list", "async_actions", True)
    assert [each["id"] for each in page["async_actions"]] == ids[:0:-1]

    everything = (await voucherify.get("/v1/async-actions")).json()
    assert everything["has_more"] is False
    done = everything["async_actions"][-1]
    assert (done["id"], done["status"], done["progress"]) == (ids[0], "DONE", 100)
    assert not {"result", "processing_time"} & done.keys()


async def test_a_list_ends_before_a_time_in_every_spelling(voucherify: Voucherify) -> None:
    first = await voucherify.send(ROWS)
    second = await voucherify.send(ROWS)
    until = datetime.fromisoformat((await voucherify.action(second))["created_at"])
    spellings = [
        until.strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
        until.isoformat().replace("+00:00", "Z"),
        (until + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%f+02:00"),
        until.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
    ]
    for spelling in spellings:
        page = (await voucherify.get("/v1/async-actions", end_date=spelling)).json()
        assert [each["id"] for each in page["async_actions"]] == [first], spelling
    today = datetime.now(UTC)
    assert (await voucherify.get("/v1/async-actions", end_date=f"{today:%Y-%m-%d}")).json()["async_actions"] == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"end_date": "yesterday"}, "Property .end_date cannot be recognized as a ISO-8601 compliant date"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
    ],
)
async def test_a_bad_query_is_refused(voucherify: Voucherify, query: dict[str, str], told: str) -> None:
    answer = await voucherify.get("/v1/async-actions", **query)
    assert answer.status_code == 400
    assert (answer.json()["key"], answer.json()["message"]) == ("invalid_query_params", "Invalid query params")
    assert told in answer.json()["details"]


@pytest.mark.parametrize("action_id", ["aa_0a875d56c805df6601", "nothing", "aa_", "018bcfe568a1c0ffee012345"])
async def test_an_unknown_action_is_not_found(voucherify: Voucherify, action_id: str) -> None:
    answer = await voucherify.get(f"/v1/async-actions/{action_id}")
    body = answer.json()
    assert answer.status_code == 404
    assert re.fullmatch(r"v-[0-9a-f]{18}", body.pop("request_id"))
    assert body == {
        "code": 404,
        "key": "not_found",
        "message": "Resource not found",
        "details": f"Cannot find async_action with id {action_id}",
        "resource_id": action_id,
        "resource_type": "async_action",
    }


async def test_an_import_of_another_surface_is_not_an_action(voucherify: Voucherify) -> None:
    made = (await http.post(voucherify.client, voucherify.account)).json()
    assert (await voucherify.get(f"/v1/async-actions/aa_{made['id']}")).status_code == 404
    assert (await voucherify.get("/v1/async-actions")).json()["async_actions"] == []


async def test_another_account_sees_nothing(
    voucherify: Voucherify, client: httpx.AsyncClient, a_key: NewAccount
) -> None:
    action_id = await voucherify.send(ROWS)
    other = Voucherify(client, voucherify.runtime, await a_key())
    assert (await other.get(f"/v1/async-actions/{action_id}")).status_code == 404
    assert (await other.get("/v1/async-actions")).json()["async_actions"] == []


async def test_other_methods_and_paths_are_refused_in_the_vendors_shape(voucherify: Voucherify) -> None:
    answer = await voucherify.client.put("/v1/customers/importCSV", headers=voucherify.headers)
    body = answer.json()
    assert answer.status_code == 405
    assert (body["code"], body["message"]) == (405, "HTTP Method Not Allowed")
    assert body["details"].startswith("PUT is not supported by this endpoint. Did you mean ")
    missing = await voucherify.get("/v1/vouchers")
    assert (missing.status_code, missing.json()["key"]) == (404, "not_found")


async def test_a_wrong_key_is_refused_in_the_vendors_shape(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/async-actions", headers={"X-App-Id": "a", "X-App-Token": "b"})
    body = answer.json()
    assert answer.status_code == 401
    assert (body["code"], body["message"], body["key"]) == (401, "Unauthorized", "unauthorized")


async def test_a_key_without_the_scope_is_refused_in_the_vendors_shape(
    voucherify: Voucherify, client: httpx.AsyncClient, a_key: NewAccount
) -> None:
    reader = Voucherify(client, voucherify.runtime, await a_key(["imports:read"]))
    answer = await reader.post("/v1/customers/importCSV", files={"file": ("a.csv", b"a\n1\n")})
    assert answer.status_code == 403
    assert (answer.json()["key"], answer.json()["message"]) == ("missing_required_permission", "Missing permission")
