"""A filter says which records an export has, compared by the types of their fields."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from app.errors import Refused
from tests.exports.conftest import Exports
from tests.support.http import Account

PRODUCTS = """\
{"productId": "1", "productDetailUrl": "https://e.org/1", "name": "Café", "unitPrice": 9, "tags": ["red", "new"], \
"publishedAt": "2026-01-01T10:00:00Z", "isBlacklisted": true}
{"productId": "2", "productDetailUrl": "https://e.org/2", "name": "apple", "unitPrice": 10.0, "tags": ["blue"], \
"publishedAt": "2026-01-01T10:00:00.50Z", "description": ""}
{"productId": "3", "productDetailUrl": "https://e.org/3", "name": "'; DROP TABLE records; --$1", "unitPrice": 100, \
"publishedAt": "2026-01-01T12:00:00+02:00", "isBlacklisted": false, "description": "[]"}
"""

FOUND: list[tuple[str, str, Any, str]] = [
    ("unitPrice", ">", 9, "23"),
    ("unitPrice", "<=", 10, "12"),
    ("unitPrice", "=", "10", "2"),
    ("unitPrice", "in", [9, 100.0], "13"),
    ("unitPrice", "!=", 9, "23"),
    ("name", "=", "'; DROP TABLE records; --$1", "3"),
    ("name", ">", "a", "2"),
    ("name", "in", ["Café", "apple"], "12"),
    ("publishedAt", "=", "2026-01-01T10:00:00Z", "13"),
    ("publishedAt", ">", "2026-01-01T10:00:00Z", "2"),
    ("publishedAt", "=", "2026-01-01T10:00:00.5Z", "2"),
    ("publishedAt", "<", "2026-01-01T12:00:01+02:00", "123"),
    ("isBlacklisted", "=", True, "1"),
    ("isBlacklisted", "!=", True, "23"),
    ("isBlacklisted", "isEmpty", None, "2"),
    ("tags", "=", "red", "1"),
    ("tags", "!=", "red", "23"),
    ("tags", "in", ["red", "blue"], "12"),
    ("tags", "isEmpty", True, "3"),
    ("description", "isEmpty", True, "12"),
    ("description", "isEmpty", False, "3"),
]


@pytest.fixture
async def products(exports: Exports) -> Exports:
    run = await exports.load(PRODUCTS, "products", format="jsonl", blank_cells="empty")
    assert (run.created, run.failed) == (3, 0), run.error_summary
    return exports


async def found(products: Exports, **wanted: Any) -> str:
    """The keys of the records in the file, and the header is not one of them."""
    exported = await products.export("products", filter={"fields": ["productId"], **wanted})
    header, *keys = exported.decode().splitlines()
    assert header == "productId"
    return "".join(keys)


async def test_values_are_compared_by_the_type_of_their_field(products: Exports) -> None:
    for field, operator, value, keys in FOUND:
        condition = {"field": field, "operator": operator, "value": value}
        assert await found(products, where=[condition]) == keys, condition
    two = [{"field": "unitPrice", "operator": ">", "value": 9}, {"field": "tags", "operator": "=", "value": "blue"}]
    assert await found(products, where=two) == "2"


async def test_records_are_found_by_key_by_import_and_by_the_time_of_their_change(products: Exports) -> None:
    changed = await products.load("productId,productDetailUrl,name,unitPrice\n2,https://e.org/2,pear,1\n", "products")
    ((since, first),) = [
        (row["updated_at"], row["created_at"])
        for row in await products.sql(
            "SELECT * FROM records WHERE account_id = :id AND key = '2'", id=products.account_id
        )
    ]
    assert isinstance(since, datetime)
    assert await found(products, keys=["3", "1", "none"]) == "13"
    assert await found(products, import_id=changed.id) == "2"
    assert await found(products, import_id=f"aa_{changed.id}") == "2"  # as Voucherify's surface calls it
    assert await found(products, updated_since=since) == "2"
    assert await found(products, created_since=since) == ""
    assert await found(products, created_since=first, keys=["2"]) == "2"
    assert await found(products, keys=[]) == ""


async def test_only_the_fields_that_are_wanted_are_written(products: Exports) -> None:
    wanted = {"fields": ["name", "productId", "name"], "keys": ["1"]}
    assert (await products.export("products", filter=wanted)).decode() == "name,productId\nCafé,1\n"
    assert (await products.export("products", filter=wanted, format="jsonl")).decode() == (
        '{"name":"Café","productId":"1"}\n'
    )
    mapping = {"columns": [{"column": "A", "field": "productId"}, {"column": "B", "field": "unitPrice"}]}
    assert (await products.export("products", mapping, filter=wanted)).decode() == "A\n1\n"


async def test_every_mistake_of_a_filter_is_named(products: Exports) -> None:
    wanted = {
        "fields": ["nothing"],
        "where": [
            {"field": "nothing", "operator": "=", "value": 1},
            {"field": "unitPrice", "operator": "=", "value": "much"},
            {"field": "tags", "operator": "<", "value": "a"},
            {"field": "name", "operator": "in", "value": "a"},
            {"field": "publishedAt", "operator": ">", "value": "yesterday"},
        ],
    }
    with pytest.raises(Refused) as refused:
        await products.export("products", filter=wanted)
    reasons = {each.path: each.reason for each in refused.value.complaints}
    assert reasons["filter.where[0].field"].endswith("must be a field of `products`, and `nothing` is none")
    assert reasons["filter.fields[0]"].endswith("must be a field of `products`, and `nothing` is none")
    assert "does not fit `unitPrice`: The value is not a number" in reasons["filter.where[1].value"]
    assert "does not fit `publishedAt`: The value is not a date" in reasons["filter.where[4].value"]
    assert reasons["filter.where[2].operator"] == (
        "`filter.where[2].operator` must be =, !=, in or isEmpty for `tags`, a field of type list"
    )
    assert reasons["filter.where[3].value"] == "`filter.where[3].value` must be a list of 1 to 1,000 values"
    assert len(reasons) == 6


async def test_a_filter_is_checked_over_http(client: httpx.AsyncClient, an_account: Account) -> None:
    async def ask(**wanted: object) -> httpx.Response:
        body = {"type": "products", "filter": wanted}
        return await client.post("/exports", headers=an_account.headers, json=body)

    accepted = await ask(
        updatedSince="2026-01-01T00:00:00Z", where=[{"field": "unitPrice", "operator": "in", "value": [1, 2.5]}]
    )
    assert accepted.status_code == 201, accepted.text
    refused = await ask(updatedSince="2026-01-01", where=[{"field": "name", "operator": "like", "value": "a"}], since=1)
    assert {each["path"] for each in refused.json()["errors"]} == {
        "filter.updatedSince", "filter.where[0].operator", "filter.since",
    }  # fmt: skip
