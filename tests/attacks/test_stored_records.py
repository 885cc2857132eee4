"""Whatever is stored can be read: records of old releases, of hostile imports, or of somebody with SQL."""

import json
import random
from collections.abc import Callable, Sequence

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.support.http import Account, app_on

RANDOM_RECORDS = 60
PIECES = [
    *(
        "variants",
        "images",
        "tags",
        "properties",
        "sale",
        "sku",
        "qty",
        "attr",
        "foo",
        "productID",
        "productName",
        "price",
    ),
    *("address", "city", "metadata", "email", "name", "source_id", "birthdate", "_email", "id", "n" * 300),
    *("0", "1", "999", "1000", "60000000", "-1", "07", "1e1", "", "²", "٣"),
]
NUMBERS = ["0", "-0", "1e400", "-1e400", "1e-400", "9" * 400, "12345678901234567890.10", "1E+2", "1e1000"]
NASTY = [
    "null",
    "[]",
    '"text"',
    "1e400",
    "[[[]]]",
    '[{"productID": "x"}]',
    '{"variants.60000000.sku": "x"}',
    json.dumps({f"variants.{'9' * 5_000}.sku": "x", f"properties.{'9' * 5_000}": 1}),
    '{"%s": 1}' % ("variants.0" + ".a" * 3_000),
    '{"%s": 1}' % ("properties." + "." * 3_000),
    '{"%s": 1}' % ("0." * 3_000),
    '{"variants.0.qty": 1e1000, "variants.1.qty": "7", "variants.2.qty": [1], "variants.3.qty": -1e-1000}',
    '{"variants.0.qty": %s}' % ("9" * 100_000),
    '{"variants": [1, 2], "variants.0": {}, "variants.0.sku": null, "variants.0.sku.x": 1}',
    '{"metadata": 1, "metadata.": 2, "metadata.x": {"y": null}, "address": [], "address.city": [1], "name": {}}',
    '{"source_id": ["a"], "email": {"a": 1}, "birthdate": 5, "name": null}',
    '{"deep": %s}' % ("[" * 900 + "]" * 900),
    '{"deeper": %s}' % ("[" * 5_000 + "]" * 5_000),
    '{"variants.0.attr": %s}' % ("[" * 1_500 + "]" * 1_500),
    '{"metadata.deep": %s}' % ('{"a":' * 1_500 + "1" + "}" * 1_500),
]  # fmt: skip
READS = {
    "catalog": ["/records/catalog/{key}", "/v2/products/{key}", "/v2/products/{key}?fields=variants,totalQty"],
    "customers": ["/records/customers/{key}", "/v1/customers/{key}"],
    "contacts": ["/records/contacts/{key}"],
    "products": ["/records/products/{key}"],
    "coupons": ["/records/coupons/{key}"],
    "shop-products": ["/records/shop-products/{key}"],
    "tags": ["/records/tags/{key}"],
}
LISTS = {
    "catalog": [
        "/records/catalog?limit=1000",
        "/v2/products?per_page=1000",
        "/v2/products?per_page=7&page=3&fields=sale",
    ],
    "customers": [
        "/records/customers?limit=1000",
        "/v1/customers?limit=100",
        "/v1/customers?limit=100&page=2&order=source_id",
        "/v1/customers?email=a&city=b&name=c",
        "/v1/customers?order=-updated_at&starting_after=2200-01-01T00:00:00Z",
    ],
    "contacts": ["/records/contacts?limit=1000"],
    "products": ["/records/products?limit=1000"],
    "coupons": ["/records/coupons?limit=1000"],
    "shop-products": ["/records/shop-products?limit=1000"],
    "tags": ["/records/tags?limit=1000"],
}


def random_json(chance: random.Random, depth: int = 0) -> str:
    kinds: Sequence[Callable[[], str]] = [
        lambda: "null",
        lambda: chance.choice(["true", "false"]),
        lambda: chance.choice(NUMBERS),
        lambda: json.dumps(chance.choice([*PIECES, *NUMBERS, "ü€😀", '"\\\n'])),
        lambda: "[" + ",".join(random_json(chance, depth + 1) for _ in range(chance.randrange(4))) + "]",
        lambda: random_object(chance, depth + 1),
    ]
    return chance.choice(kinds if depth < 4 else kinds[:4])()


def random_object(chance: random.Random, depth: int = 0) -> str:
    members = (f"{json.dumps(random_path(chance))}: {random_json(chance, depth)}" for _ in range(chance.randrange(9)))
    return "{" + ", ".join(members) + "}"


def random_path(chance: random.Random) -> str:
    return ".".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 5)))


async def store(runtime: Runtime, account: Account, type: str, data: Sequence[str]) -> list[str]:
    keys = [f"K-{number:04}" for number in range(len(data))]
    statement = text(
        "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row) "
        "VALUES (:account_id, :type, :key, CAST(:data AS jsonb), now() + :n * interval '1 second', "
        "now() + :n * interval '2 second', 1, 1)"
    )
    rows = [
        {"account_id": account.id, "type": type, "key": key, "data": each, "n": number}
        for number, (key, each) in enumerate(zip(keys, data, strict=True))
    ]
    async with runtime.database.transaction() as session:
        await session.execute(statement, rows)
    return keys


@pytest.mark.parametrize("type", READS)
async def test_every_read_of_whatever_is_stored_answers(runtime: Runtime, an_account: Account, type: str) -> None:
    """The answers may contradict the OpenAPI document, so the client does not look into them."""
    chance = random.Random(type)
    keys = await store(runtime, an_account, type, [*NASTY, *(random_object(chance) for _ in range(RANDOM_RECORDS))])
    transport = httpx.ASGITransport(app=app_on(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", timeout=60) as client:
        addresses = [path.format(key=key) for key in keys for path in READS[type]] + LISTS[type]
        for address in addresses:
            answer = await client.get(address, headers=an_account.headers)
            assert answer.status_code == 200, address
            assert len(answer.content) < 1_500_000, address
            assert answer.content[:1] in b"{[", address
            assert answer.content[-1:] in b"}]", address


async def test_a_list_shows_every_record_whatever_is_stored(runtime: Runtime, an_account: Account) -> None:
    keys = await store(runtime, an_account, "catalog", NASTY[:16])
    transport = httpx.ASGITransport(app=app_on(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test") as client:
        products, records = [
            json.loads((await client.get(path, headers=an_account.headers)).content, parse_int=str)
            for path in ("/v2/products", "/records/catalog")
        ]
    assert len(products) == len(keys)
    assert [each["key"] for each in records["results"]] == keys
