"""A record has a size: no row, no later import and no single write makes it larger than `SLUICE_MAX_RECORD_BYTES`."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.resources.sizes import is_longer, measure_json
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

LIMIT = 20_000
TYPE = {
    "key": "code",
    "fields": [{"id": "code", "type": "text"}, {"id": "name", "type": "text"}],
    "unknownColumns": "keep",
}
NAMED = {"type": "things"}


@pytest.fixture
def small(runtime: Runtime) -> Runtime:
    """A worker with small records, so that a test need not write many megabytes."""
    return replace(runtime, limits=replace(runtime.limits, record_bytes=LIMIT))


def lines(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps({"name": "Lamp"} | row, ensure_ascii=False).encode() + b"\n" for row in rows)


async def run_import(
    client: httpx.AsyncClient,
    account: Account,
    runtime: Runtime,
    finish: Finish,
    rows: bytes,
    **parts: str,
) -> dict[str, Any]:
    await client.put("/types/things", headers=account.headers, json=TYPE)
    run = (await post(client, account, rows, name="things.jsonl", parts=NAMED | parts)).json()
    await finish(runtime, run["id"])
    ended: dict[str, Any] = (await client.get(run["links"]["self"], headers=account.headers)).json()
    ended["problems"] = [
        (each["row"], each["code"])
        for each in (await client.get(f"/imports/{run['id']}/problems", headers=account.headers)).json()["results"]
    ]
    return ended


async def size_of(runtime: Runtime, account: Account, key: str) -> int:
    async with runtime.database.read() as session:
        found = await session.execute(
            text("SELECT octet_length(data::text) FROM records WHERE account_id = :id AND key = :key"),
            {"id": account.id, "key": key},
        )
        return int(found.scalar_one())


@pytest.mark.parametrize(
    "value", ["x" * 12_000, [7] * 3_900, [1e300] * 35, "é" * 6_000], ids=["text", "list", "numbers", "letters"]
)
async def test_imports_cannot_make_a_record_grow_for_ever(
    client: httpx.AsyncClient, small: Runtime, an_account: Account, finish: Finish, value: object
) -> None:
    grow = [
        await run_import(client, an_account, small, finish, lines({"code": "P", f"kept{turn}": value}))
        for turn in range(3)
    ]
    assert [each["success"] for each in grow] == [1, 0, 0]
    assert [each["problems"] for each in grow] == [[], [(1, "record_too_large")], [(1, "record_too_large")]]
    assert await size_of(small, an_account, "P") <= LIMIT


async def test_a_row_that_is_too_large_by_itself_fails_alone(
    client: httpx.AsyncClient, small: Runtime, an_account: Account, finish: Finish
) -> None:
    """Not the bytes of the row count, but those of the record: 300 numbers become 300,000 digits."""
    row = json.dumps({"code": "P-1", "name": "Lamp", "kept": ["N"] * 300}).replace('"N"', "1e1000")
    rows = lines({"code": "P-0"}) + row.encode() + b"\n" + lines({"code": "P-2"})
    ended = await run_import(client, an_account, small, finish, rows)
    assert (ended["success"], ended["errors"], ended["problems"]) == (2, 1, [(2, "record_too_large")])


@pytest.mark.parametrize("parts", [{}, {"duplicates": "first"}, {"updateOnlyEmptyFields": "true"}], ids=str)
async def test_only_the_row_that_is_too_much_fails(
    client: httpx.AsyncClient, small: Runtime, an_account: Account, finish: Finish, parts: dict[str, str]
) -> None:
    half = "x" * 12_000
    await run_import(client, an_account, small, finish, lines(*({"code": f"P-{n}", "a": half} for n in range(4))))
    rows = lines(
        {"code": "P-0", "a": half},  # changes nothing
        {"code": "P-1", "b": half},  # too much
        {"code": "P-2", "b": "small"},
        {"code": "P-3", "b": half},  # too much
        {"code": "P-4", "b": half},  # is new
    )
    ended = await run_import(client, an_account, small, finish, rows, **parts)
    assert ended["problems"] == [(2, "record_too_large"), (4, "record_too_large")]
    assert (ended["success"], ended["errors"]) == (3, 2)


async def test_repeated_keys_are_measured_one_after_the_other(
    client: httpx.AsyncClient, small: Runtime, an_account: Account, finish: Finish
) -> None:
    third = "x" * 8_000
    rows = lines(*({"code": "P", f"kept{n}": third} for n in range(4)), {"code": "P", "kept0": "y"})
    ended = await run_import(client, an_account, small, finish, rows)
    assert ended["problems"] == [(3, "record_too_large"), (4, "record_too_large")]
    assert (ended["success"], ended["errors"]) == (3, 2)
    stored = (await client.get("/records/things/P", headers=an_account.headers)).json()["data"]
    assert stored == {"code": "P", "name": "Lamp", "kept0": "y", "kept1": third}


async def test_the_same_file_again_changes_nothing_in_a_record_that_was_too_large_before(
    client: httpx.AsyncClient, runtime: Runtime, small: Runtime, an_account: Account, finish: Finish
) -> None:
    rows = lines({"code": "P", "kept": "x" * 15_000})
    await run_import(client, an_account, runtime, finish, rows)
    more = lines({"code": "P", "more": "x" * 15_000})
    await run_import(client, an_account, runtime, finish, more)
    again = await run_import(client, an_account, small, finish, more)
    assert (again["success"], again["errors"], again["problems"]) == (1, 0, [])


async def test_single_writes_cannot_make_a_record_grow_for_ever(client: httpx.AsyncClient, an_account: Account) -> None:
    """Each is within the bounds of a body."""

    async def save(first: int) -> httpx.Response:
        properties = {f"p{number}": "x" * 100_000 for number in range(first, first + 9)}
        body = {"productID": "P", "productName": "Lamp", "properties": properties}
        return await client.post("/v2/products", headers=an_account.headers, json=body)

    assert (await save(0)).status_code == 200
    refused = await save(9)
    assert refused.status_code == 422
    assert "larger than 1,048,576 bytes" in refused.text


def test_numbers_are_measured_as_they_are_written_out() -> None:
    assert measure_json('{"a":1e1000}') >= 1_001
    assert measure_json('{"a":1e-1000}') >= 1_001
    assert measure_json('{"a":"1e1000"}') == len('{"a":"1e1000"}')
    assert measure_json('{"a":"é"}') == 10
    assert is_longer("[" + ",".join(["1e1000"] * 1_100) + "]", 1_048_576)
    assert not is_longer('"' + "1e9" * 100_000 + '"', 1_048_576)
