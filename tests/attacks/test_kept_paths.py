"""Columns and members that no field declares, with `unknownColumns=keep`, in a type of nested records: whatever is
stored can be read again, at a cost that fits its size."""

import json
import tracemalloc

import httpx
import pytest
from sqlalchemy import text

from app.resources.catalog import RESOURCE
from app.resources.paths import nest
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, app_on, post

KEEP = {"type": "catalog", "unknownColumns": "keep"}
NO_ROOM = [
    "variants.60000000.sku",
    "variants.1000.color",
    "variants.foo",
    "variants.foo.qty",
    "variants.07.color",
    "variants.-1.color",
    "variants.0",
    "variants",
    "images.x",
    "images.0.x",
    "tags.1e1",
    "properties",
    "productName.x",
    "sale",
    "sale.until",
    "variants.0.color",
]
ROOM = ["colour", "shape.60000000.x", "variant.0.sku"]


async def import_columns(
    client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish, row: dict[str, object], format: str
) -> httpx.Response:
    lines = [",".join(row), ",".join(map(str, row.values()))] if format == "csv" else [json.dumps(row)]
    file = "".join(f"{line}\n" for line in lines)
    answer = await post(client, account, file.encode(), name=f"products.{format}", parts=KEEP)
    if answer.status_code == 201:
        await finish(runtime, answer.json()["id"])
    return answer


def a_product(path: str) -> dict[str, object]:
    return {"productID": "P-1", "productName": "Lamp", "variants.0.sku": "S-1", path: "5"}


@pytest.mark.parametrize("path", NO_ROOM)
async def test_a_header_with_such_a_column_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, path: str
) -> None:
    answer = await import_columns(client, an_account, runtime, finish, a_product(path), "csv")
    assert answer.status_code == 422
    assert f"`{path}`" in answer.json()["detail"]


@pytest.mark.parametrize("path", NO_ROOM)
async def test_a_row_with_such_a_member_fails(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, path: str
) -> None:
    run = (await import_columns(client, an_account, runtime, finish, a_product(path), "jsonl")).json()
    problems = (await client.get(f"/imports/{run['id']}/problems", headers=an_account.headers)).json()["results"]
    assert [(each["code"], each["column"]) for each in problems] == [("type_error", path)]
    assert (await client.get("/v2/products/P-1", headers=an_account.headers)).status_code == 404


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("path", ROOM)
async def test_what_has_room_is_kept_and_can_be_read(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, *, path: str, format: str
) -> None:
    await import_columns(client, an_account, runtime, finish, a_product(path), format)
    stored = (await client.get("/records/catalog/P-1", headers=an_account.headers)).json()
    assert stored["data"][path] == "5"
    assert (await client.get("/v2/products/P-1", headers=an_account.headers)).status_code == 200
    assert (await client.get("/v2/products", headers=an_account.headers)).status_code == 200


STORED = [
    {"variants.60000000.sku": "x"},
    {"variants." + "9" * 200 + ".sku": "x"},
    {"variants.foo": "x", "variants.0.sku": "y"},
    {"variants.foo.qty": {"a": 1}, "variants.bar.qty": [1], "variants.baz.qty": True},
    {"variants": "x", "images": 5, "tags.x": 1},
    {"productName": None, "productName.x": 1, "sale": 2},
]


@pytest.mark.parametrize("data", STORED)
async def test_a_record_that_was_stored_before_can_be_read(
    runtime: Runtime, an_account: Account, data: dict[str, object]
) -> None:
    """It may contradict the OpenAPI document, so the client does not look into it."""
    transport = httpx.ASGITransport(app=app_on(runtime))
    async with runtime.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)"
                " VALUES (:account_id, 'catalog', 'P-1', CAST(:data AS jsonb), now(), now(), 1, 1)"
            ),
            {"account_id": an_account.id, "data": json.dumps({"productID": "P-1"} | data)},
        )
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test") as client:
        for path in ("/v2/products/P-1", "/v2/products", "/records/catalog/P-1", "/records/catalog"):
            answer = await client.get(path, headers=an_account.headers)
            assert answer.status_code == 200, path
            assert len(answer.content) < 20_000


def test_a_distant_position_costs_no_memory() -> None:
    tracemalloc.start()
    nested = nest({"variants.60000000.sku": "x", "variants.2.sku": "y"}, RESOURCE.lists)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert nested == {"variants": [None, None, {"sku": "y"}]}
    assert peak < 1_000_000
