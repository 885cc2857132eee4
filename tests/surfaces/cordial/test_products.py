"""Products, one at a time: create, update, read, list and delete them."""

import asyncio
import json
import re
from typing import Any

import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.storage import records
from tests.conftest import NewAccount
from tests.support.http import finish
from tests.surfaces.cordial.conftest import OURS, Cordial

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000").fullmatch


async def test_the_total_of_long_numbers_is_exact(cordial: Cordial) -> None:
    await cordial.save(productID="q", productName="N", variants=[{"sku": "a", "qty": "12345678901234567890123456789"}])
    assert json.loads((await cordial.ask("GET", "/v2/products/q")).content)["totalQty"] == 12345678901234567890123456789


async def test_a_product_is_made_and_then_changed(cordial: Cordial) -> None:
    answer = await cordial.post("/v2/products", {"productID": "P1", "productName": "One", "price": 9.90})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "product created"})
    answer = await cordial.post("/v2/products", {"productID": "P1", "category": "x"})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "product updated"})
    assert await cordial.product("P1") == {"productID": "P1", "productName": "One", "price": 9.9, "category": "x"}


async def test_a_product_that_is_written_by_itself_belongs_to_no_import(cordial: Cordial) -> None:
    await cordial.save(productID="P1", productName="One")
    assert (await cordial.get("/records/catalog/P1"))["importId"] is None
    await cordial.lines({"productID": "P1", "productName": "Two"})
    assert (await cordial.get("/records/catalog/P1"))["importId"] is not None


async def test_a_product_has_totals_and_times_of_ours(cordial: Cordial) -> None:
    variants = [{"sku": "a", "qty": "9"}, {"sku": "b", "qty": 10.5}, {"sku": "c"}]
    await cordial.save(productID="P1", productName="One", variants=variants)
    found = await cordial.get("/v2/products/P1")
    assert re.fullmatch("[0-9a-f]{24}", found["_id"])
    assert found["totalQty"] == 19.5
    assert MOMENT(found["ct"])
    assert found["lm"] == found["ct"]
    assert list(found) == ["_id", "productID", "productName", "variants", "totalQty", "ct", "lm"]


async def test_a_product_without_variants_has_none_of_them(cordial: Cordial) -> None:
    await cordial.save(productID="P1", productName="One")
    assert (await cordial.get("/v2/products/P1"))["totalQty"] == 0


async def test_a_write_reports_everything_that_is_wrong(cordial: Cordial) -> None:
    answer = await cordial.post("/v2/products", {"productID": "P1", "price": "x", "first_name": "a", "taxable": 2})
    assert answer.status_code == 422
    body = answer.json()
    assert (body["error"], body["errorKey"]) == (True, "VALIDATION_ERROR")
    assert body["messages"]["validationErrors"] == {
        "first_name": ["key first_name is not part of the schema for this resource"],
        "price": [
            (
                "The price field is not valid. The value is not a number: use digits and a decimal point, "
                "without thousands separators"
            )
        ],
        "taxable": ["The taxable field is not valid. The value must be true or false (yes, no, 1 and 0 work too)"],
    }


@pytest.mark.parametrize(
    ("product", "field"), [({"productName": "One"}, "productID"), ({"productID": "P1"}, "productName")]
)
async def test_a_new_product_needs_an_id_and_a_name(cordial: Cordial, product: dict[str, Any], field: str) -> None:
    answer = await cordial.post("/v2/products", product)
    assert answer.status_code == 422
    assert answer.json()["messages"]["validationErrors"] == {field: [f"The {field} field is required."]}


async def test_an_object_that_cannot_be_taken_apart_is_refused(cordial: Cordial) -> None:
    answer = await cordial.post("/v2/products", {"productID": "P1", "properties": {"a" * 300: 1}})
    assert answer.status_code == 422
    assert "characters" in answer.json()["message"]


async def test_products_are_listed_by_their_id(cordial: Cordial) -> None:
    for number in range(3):
        await cordial.save(productID=f"P{number}", productName="x", price=number, sale={"enabled": True})
    assert [each["productID"] for each in await cordial.get("/v2/products")] == ["P0", "P1", "P2"]
    assert [each["productID"] for each in await cordial.get("/v2/products", page=2, per_page=2)] == ["P2"]
    assert await cordial.get("/v2/products", page=3, per_page=2) == []
    (found,) = await cordial.get("/v2/products", per_page=1, fields="productID, sale.enabled")
    assert found.keys() == {"_id", "productID", "sale"}
    assert (await cordial.get("/v2/products/P1", fields="price")).keys() == {"_id", "price"}


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": 0}, {"per_page": 1_001}, {"page": "x"}])
async def test_a_page_number_out_of_range_is_refused(cordial: Cordial, query: dict[str, Any]) -> None:
    answer = await cordial.ask("GET", "/v2/products", params=query)
    assert answer.status_code == 422
    assert list(answer.json()["messages"]["validationErrors"]) == list(query)


async def test_an_unknown_product_is_not_found(cordial: Cordial) -> None:
    for method in ("GET", "DELETE"):
        answer = await cordial.ask(method, "/v2/products/nobody")
        assert answer.status_code == 404
        assert answer.json() == {"error": True, "errorKey": "RECORD_NOT_FOUND", "message": "Record not found."}


async def test_an_id_may_hold_anything(cordial: Cordial) -> None:
    await cordial.save(productID=" a/b é ", productName="x")
    assert (await cordial.product("a%2Fb%20e%CC%81"))["productName"] == "x"


async def test_a_product_is_deleted_and_made_anew(cordial: Cordial) -> None:
    await cordial.save(productID="P1", productName="One", price=1)
    answer = await cordial.ask("DELETE", "/v2/products/P1")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (await cordial.ask("GET", "/v2/products/P1")).status_code == 404
    assert (await cordial.post("/v2/products", {"productID": "P1", "price": 2})).status_code == 422
    assert await cordial.save(productID="P1", productName="One") == "product created"
    assert await cordial.product("P1") == {"productID": "P1", "productName": "One"}


async def test_a_deleted_product_counts_as_new_in_an_import(cordial: Cordial) -> None:
    await cordial.save(productID="P1", productName="One")
    started = await cordial.send('{"productID":"P1","price":1}', "p.jsonl")
    await cordial.ask("DELETE", "/v2/products/P1")
    job = await cordial.job(started)
    assert (job["rejected"], job["updated"]) == (1, 0)


async def test_a_write_is_newer_than_an_import_that_was_accepted_before(cordial: Cordial, runtime: Runtime) -> None:
    await cordial.save(productID="P1", productName="One", price=1)
    started = await cordial.send("productID,productName,price\nP1,One,2\n")
    await cordial.save(productID="P1", price=3)
    job = await cordial.job(started)
    assert (job["rejected"], job["invalid"]) == (1, 0)
    assert (await cordial.product("P1"))["price"] == 3


async def test_writes_at_the_same_time_lose_nothing(cordial: Cordial) -> None:
    await cordial.save(productID="P1", productName="One")
    await asyncio.gather(*(cordial.save(productID="P1", properties={f"p{n}": n}) for n in range(8)))
    assert (await cordial.product("P1"))["properties"] == {f"p{n}": n for n in range(8)}


@pytest.mark.parametrize("nothing", [{}, []])
async def test_an_empty_object_is_no_text_at_a_path_that_holds_text(cordial: Cordial, nothing: object) -> None:
    await cordial.save(productID="P1", productName="One", tags=["a"])
    for sent, path in (({"tags": [nothing]}, "tags.0"), ({"variants": [{"sku": nothing}]}, "variants.0.sku")):
        answer = await cordial.ask("POST", "/v2/products", json={"productID": "P1", **sent})
        reason = f"The {path} field is not valid. The value must be text"
        assert answer.json()["messages"]["validationErrors"] == {path: [reason]}, answer.text
    for sent in ({"tags": nothing}, {"variants": [nothing]}, {"properties": nothing}, {"sale": nothing}):
        assert (await cordial.ask("POST", "/v2/products", json={"productID": "P1", **sent})).status_code == 200, sent
    lines = f'{{"productID":"P2","productName":"Two","tags":["x",{nothing}]}}\n{{"productID":"P3","productName":"x"}}'
    await cordial.imported(lines, "p.jsonl")
    assert [each["productID"] for each in await cordial.get("/v2/products")] == ["P1", "P3"]


async def test_deleting_while_imports_run_leaves_no_partial_product(cordial: Cordial, runtime: Runtime) -> None:
    lines = "\n".join(f'{{"productID":"P{n}","price":{n}}}' for n in range(300))
    names = "\n".join(f'{{"productID":"P{n}","productName":"x"}}' for n in range(300))
    await cordial.imported(names, "p.jsonl")
    started = (await cordial.send(lines, "p.jsonl")).json()["jobId"]
    gone = [cordial.ask("DELETE", f"/v2/products/P{n}") for n in range(0, 300, 15)]
    await asyncio.gather(finish(runtime, started), *gone)
    for product in await cordial.get("/v2/products", per_page=1_000):
        assert product.keys() - OURS >= {"productID", "productName"}


async def test_a_product_that_a_batch_relies_on_can_be_changed_and_not_deleted(
    cordial: Cordial, runtime: Runtime
) -> None:
    await cordial.save(productID="P1", productName="One")
    free = "SELECT key FROM records WHERE account_id = :id AND type = 'catalog' FOR {} SKIP LOCKED"
    async with runtime.database.transaction() as batch, runtime.database.transaction() as other:
        assert await records.find_existing_keys(batch, cordial.account.id, "catalog", ["P1", "P2"]) == {"P1"}
        # What DELETE takes, and what a merge takes.
        for lock, keys in (("UPDATE", []), ("NO KEY UPDATE", ["P1"])):
            found = await other.execute(text(free.format(lock)), {"id": cordial.account.id})
            assert found.scalars().all() == keys, lock


async def test_each_scope_allows_what_it_says(cordial: Cordial, a_key: NewAccount, runtime: Runtime) -> None:
    await cordial.save(productID="P1", productName="One")
    asked = {
        "records:read": [("GET", "/v2/products/P1"), ("GET", "/v2/products")],
        "imports:read": [("GET", "/v2/jobs")],
        "imports:write": [("POST", "/v2/products")],
        "imports:delete": [("DELETE", "/v2/products/P1")],
    }
    for scope in asked:
        account = await a_key([scope], cordial.account.name)
        holder = Cordial(cordial.client, runtime, account)
        assert (await holder.ask("GET", "/v2/health")).json() == {"success": True}
        for other, requests in asked.items():
            for method, path in requests:
                status = (await holder.ask(method, path, json={} if method == "POST" else None)).status_code
                assert (status == 403) == (scope != other), (scope, method, path)


async def test_who_waits_for_a_product_that_is_being_written_holds_up_nobody_else(
    cordial: Cordial, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An overlay is applied in one transaction, which may take a minute. Requests wait for a moment, with a connection
    each, and never while they hold the account."""
    monkeypatch.setattr("app.storage.records.WAIT_BRIEFLY", "SELECT set_config('lock_timeout', '2s', true)")
    await cordial.save(productID="P1", productName="One")
    async with runtime.database.transaction() as applying:
        await applying.execute(text("SELECT FROM records WHERE key = 'P1' AND type = 'catalog' FOR NO KEY UPDATE"))
        waiting = asyncio.create_task(cordial.post("/v2/products", {"productID": "P1", "productName": "Two"}))
        while not (await applying.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted"))).first():
            await asyncio.sleep(0.01)
        deleting = asyncio.create_task(cordial.ask("DELETE", "/v2/products/P1"))
        await cordial.save(productID="P2", productName="Two")
        assert not waiting.done()
        answers = [await waiting, await deleting]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
    assert (await cordial.product("P1"))["productName"] == "One"
