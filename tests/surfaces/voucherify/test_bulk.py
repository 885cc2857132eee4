"""Lists of customers and of their ids: updated by the same engine, with a report for every item."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text

from tests.surfaces.voucherify.conftest import Voucherify


async def test_items_update_and_create_customers(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name,email,City,lang\nx,Ana,ana@example.com,Bonn,es\n")
    action = await voucherify.bulk(
        [
            {"source_id": "x", "name": "Anna", "address": {"country": "DE"}, "metadata": {"test": None, "n": 1.10}},
            {"source_id": "y", "address": {"city": "Cork", "line_1": "Quay"}},
            {"source_id": "z"},
        ]
    )

    assert action["type"] == "CUSTOMERS.BULK_UPDATE"
    assert (action["status"], action["operation_status"]) == ("DONE", "SUCCESS")
    assert action["result"]["done_count"] == 3
    assert action["result"]["errors"] == []
    assert "message" not in action["result"]
    assert await voucherify.own("x") == {
        "source_id": "x",
        "name": "Anna",
        "email": "ana@example.com",
        "address": {"city": "Bonn", "country": "DE"},
        "metadata": {"lang": "es", "test": None, "n": 1.10},
    }
    assert (await voucherify.own("y"))["address"] == {"city": "Cork", "line_1": "Quay"}
    assert await voucherify.own("z") == {"source_id": "z", "address": None}


async def test_birthday_is_taken_for_birthdate(voucherify: Voucherify) -> None:
    await voucherify.bulk([{"source_id": "x", "birthday": "1984-05-06"}])
    assert (await voucherify.own("x"))["birthdate"] == "1984-05-06"


async def test_null_clears_a_field_an_address_and_its_parts(voucherify: Voucherify) -> None:
    await voucherify.bulk(
        [{"source_id": "x", "name": "Ana", "address": {"city": "Bonn", "state": "NW"}, "metadata": {"a": "1"}}]
    )
    await voucherify.bulk([{"source_id": "x", "name": None, "address": {"city": None}, "metadata": None}])
    assert await voucherify.own("x") == {
        "source_id": "x",
        "address": {"city": None, "state": "NW"},
        "metadata": {"a": "1"},
    }
    await voucherify.bulk([{"source_id": "x", "address": None}])
    assert (await voucherify.own("x"))["address"] is None


async def test_numbers_of_metadata_keep_their_digits(voucherify: Voucherify) -> None:
    metadata = b'{"price": 1.10, "long": 12345678901234567890123, "list": [1, "a", {"b": 2.50}]}'
    body = b'[{"source_id": "x", "metadata": ' + metadata + b"}]"
    answer = await voucherify.post(
        "/v1/customers/bulk/async", content=body, headers={"Content-Type": "application/json"}
    )
    await voucherify.work(answer.json()["async_action_id"])
    text = (await voucherify.get("/v1/customers/x")).text
    assert '"price":1.10' in text.replace(" ", "")
    assert "12345678901234567890123" in text
    assert '"b":2.50' in text.replace(" ", "")


async def test_bad_items_fail_alone_and_each_is_named(voucherify: Voucherify) -> None:
    action = await voucherify.bulk(
        [
            {"source_id": "x", "phone": "12"},
            {"name": "nobody"},
            "text",
            {"source_id": "y", "metadata": "none"},
            {"source_id": "z", "phone": 123456},
            {"source_id": "good"},
        ]
    )
    result = action["result"]
    assert (result["done_count"], result["failed_count"]) == (1, 5)
    assert [(each["source_id"], each["key"], each["details"]) for each in result["errors"]] == [
        ("x", "type_error", "Item 1"),
        ("", "missing_key", "Item 2"),
        ("", "json_error", "Item 3"),
        ("", "json_error", "Item 4"),
        ("z", "type_error", "Item 5"),
    ]
    assert result["errors"][0]["message"] == "Invalid phone format"


async def test_the_report_says_for_every_item_whether_it_was_found_and_updated(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name\nx,Ana\n")
    action = await voucherify.bulk(
        [{"source_id": "x", "name": "A"}, {"source_id": "y"}, {"source_id": "w", "phone": "1"}, {"source_id": "y"}]
    )
    [address] = action["result"]["reports"]
    assert address.endswith(f"/v1/async-actions/{action['id']}/report.csv")
    answer = await voucherify.get(address)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(each["source_id"], each["found"], each["updated"], each["reason"]) for each in rows] == [
        ("x", "true", "true", ""),
        ("y", "false", "true", ""),
        ("w", "false", "false", "Invalid phone format"),
        ("y", "true", "true", ""),
    ]
    assert action["result"]["reports_available_till"] > action["updated_at"]


async def test_a_list_of_ids_gets_the_same_metadata(voucherify: Voucherify) -> None:
    await voucherify.imported("source_id,name,lang\nx,Ana,es\n")
    body = {"source_ids": ["x", "new"], "metadata": {"tier": "gold", "points": 5, "gone": None, "tags": ["a"]}}
    action = await voucherify.bulk(body, "/v1/customers/metadata/async")

    assert action["type"] == "CUSTOMERS.METADATA_UPDATE"
    assert action["result"]["done_count"] == 2
    added = {"tier": "gold", "points": 5, "gone": None, "tags": ["a"]}
    assert (await voucherify.own("x"))["metadata"] == {"lang": "es"} | added
    assert await voucherify.own("new") == {"source_id": "new", "address": None, "metadata": added}


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("bulk", {"source_id": "x"}, "array"),
        ("bulk", [], ""),
        ("metadata", [], ""),
        ("metadata", {"metadata": {"a": 1}}, "source_ids"),
        ("metadata", {"source_ids": ["x"]}, "metadata"),
    ],
)
async def test_a_body_of_another_shape_is_refused(voucherify: Voucherify, path: str, body: Any, told: str) -> None:
    answer = await voucherify.post(f"/v1/customers/{path}/async", json=body)
    assert answer.status_code == 400
    assert answer.json()["key"] == "invalid_payload"
    assert told in answer.json()["details"]


@pytest.mark.parametrize("path", ["bulk", "metadata"])
async def test_a_body_of_another_type_is_refused(voucherify: Voucherify, path: str) -> None:
    answer = await voucherify.post(f"/v1/customers/{path}/async", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (415, 415)


async def test_the_report_names_what_a_later_import_had_already_written(voucherify: Voucherify) -> None:
    older = (await voucherify.post("/v1/customers/bulk/async", json=[{"source_id": "x", "name": "Old"}])).json()
    await voucherify.bulk([{"source_id": "x", "name": "New"}])
    await voucherify.work(older["async_action_id"])

    action = await voucherify.action(older["async_action_id"])
    [row] = csv.DictReader(io.StringIO((await voucherify.get(action["result"]["reports"][0])).text))
    assert (row["found"], row["updated"]) == ("true", "false")
    assert row["reason"] == "An import accepted later has already written this record"
    assert (await voucherify.own("x"))["name"] == "New"


async def test_metadata_for_all_rows_has_a_limit(voucherify: Voucherify) -> None:
    body = {"source_ids": ["x"], "metadata": {"k": "v" * 70_000}}
    refused = await voucherify.post("/v1/customers/metadata/async", json=body)
    assert (refused.status_code, refused.json()["key"]) == (400, "invalid_payload")
    body = {"source_ids": [f"s{n}" for n in range(20_000)], "metadata": {"k": "v" * 60_000}}
    bulky = await voucherify.post("/v1/customers/metadata/async", json=body)
    assert (bulky.status_code, "values that every row gets" in bulky.json()["details"]) == (400, True)


async def test_the_more_metadata_all_rows_get_the_smaller_a_batch_is(voucherify: Voucherify) -> None:
    body = {"source_ids": [f"s{n}" for n in range(300)], "metadata": {"k": "v" * 60_000}}
    action = await voucherify.bulk(body, "/v1/customers/metadata/async")
    assert action["result"]["done_count"] == 300
    async with voucherify.runtime.database.read() as session:
        rows = await session.execute(
            text("SELECT created FROM batches WHERE run_id = :id"), {"id": action["id"].removeprefix("aa_")}
        )
    assert max(rows.scalars()) <= 70


async def test_an_error_shortens_an_id_that_is_long_or_not_text(voucherify: Voucherify) -> None:
    action = await voucherify.bulk([{"source_id": "x" * 5_000}, {"source_id": {"x": 1}}, {"source_id": True}])
    assert [len(each["source_id"]) for each in action["result"]["errors"] if each["details"] == "Item 1"] == [200]
    assert {each["source_id"] for each in action["result"]["errors"] if each["details"] != "Item 1"} == {""}


async def test_a_list_that_cannot_be_processed_says_why(voucherify: Voucherify) -> None:
    started = (await voucherify.post("/v1/customers/bulk/async", json=[{"source_id": "x"}])).json()
    action_id = str(started["async_action_id"])
    async with voucherify.runtime.database.read() as session:
        found = await session.execute(text("SELECT blob FROM runs WHERE id = :id"), {"id": action_id[3:]})
    voucherify.runtime.blobs.delete(str(found.scalar_one()))
    await voucherify.work(action_id)
    action = await voucherify.action(action_id)
    assert action["status"] == "FAILED"
    assert [(each["key"], each["message"]) for each in action["result"]["errors"]] == [
        ("source_missing", "The stored file no longer exists")
    ]
