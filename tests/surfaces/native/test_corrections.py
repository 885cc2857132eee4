"""The bad values of an import by column and code, and imports of the rows concerned with corrections."""

from typing import Any

import httpx

from app.imports.corrections.values import count_values
from app.runs.status import find_run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal", "required": True},
        {"id": "stock", "type": "integer"},
    ],
}
FILE = b"sku;price;stock\nA;12,50;n/a\nB;9,99;n/a\nC;;7\nD;9,99;8\nE;1;n/a\nF;2\nG;3;4\n"
PARTS = {"type": "wares", "delimiter": ";"}


async def fail(client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> str:
    """An import of seven rows, of which one is good."""
    answer = await client.put("/types/wares", headers=account.headers, json=TYPE)
    assert answer.status_code in (200, 201), answer.text
    run_id = str((await post(client, account, FILE, name="wares.csv", parts=PARTS)).json()["id"])
    await finish(runtime, run_id)
    return run_id


async def get_values(client: httpx.AsyncClient, account: Account, address: str) -> dict[str, Any]:
    answer = await client.get(address, headers=account.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_bad_values_are_counted_page_by_page(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)
    address: str | None = f"/imports/{run_id}/failed-values?limit=3"

    found, pages = [], 0
    while address:
        page = await get_values(client, an_account, address)
        found += page["results"]
        address, pages = page["links"].get("next"), pages + 1

    assert pages == 2
    assert [(each["column"], each["code"], each["value"], each["count"]) for each in found] == [
        ("stock", "type_error", "n/a", 3),
        ("price", "type_error", "9,99", 2),
        ("price", "required", "", 1),
        ("price", "type_error", "12,50", 1),
    ]
    assert (page["others"], page["atMost"]) == (0, 0)
    only = await get_values(client, an_account, f"/imports/{run_id}/failed-values?column=price&code=required")
    assert [each["value"] for each in only["results"]] == [""]
    wrong = await client.get(f"/imports/{run_id}/failed-values?cursor=abc", headers=an_account.headers)
    assert wrong.status_code == 422


async def test_more_values_than_are_counted_at_once_are_told_as_others(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run_id = await fail(client, an_account, runtime, finish)
    async with runtime.database.read() as session:
        run = await find_run(session, an_account.id, run_id, retention_days=30)

    found = await count_values(runtime, run, most=2)

    assert [(each.value, each.count) for each in found.values] == [("n/a", 3)]
    assert found.others == 4
    assert found.at_most == 2
