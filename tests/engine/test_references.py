"""Fields that name records: a row that names one which does not exist fails, whatever the size of the batches is."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.declarations.types import declare_type, load_resource
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.imports.slice import MOST_NAMES
from app.resources.customers import RESOURCE
from app.resources.stored_keys import key_from_source
from app.storage import records, types
from app.surfaces.native.translate import record_type
from tests.engine.conftest import ImportEngine, law
from tests.support.sweeps import examples

BRANDS: dict[str, Any] = {"key": "number", "fields": [{"id": "number", "type": "integer"}]}
PARTS: dict[str, Any] = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "brand", "type": "reference", "to": "brands"},
        {"id": "owner", "type": "reference", "to": "contacts"},
        {"id": "buyer", "type": "reference", "to": "customers"},
        {"id": "inside", "type": "reference", "to": "parts"},
        {"id": "fits", "type": "list", "to": "parts", "separator": ";"},
        {"id": "brands", "type": "list", "to": "brands"},
    ],
}
TAG = {"id": "tag", "type": "reference", "to": "tags"}


@pytest.fixture
async def parts(engine: ImportEngine) -> ImportEngine:
    async with engine.runtime.database.transaction() as session:
        await declare_type(session, engine.account_id, "brands", BRANDS)
        await declare_type(session, engine.account_id, "parts", PARTS)
    await engine.run("number\n1\n2\n", "brands")
    return engine


async def part(engine: ImportEngine, key: str) -> dict[str, Any]:
    return await engine.record(key, "parts") or {}


async def test_a_row_that_names_no_record_fails_and_says_which(parts: ImportEngine) -> None:
    run = await parts.run("sku,brand,brands\na,1,1|2\nb,3,\nc,,2|9|8\nd,4,7\n", "parts")

    assert (run.created, run.failed) == (1, 3)
    assert await part(parts, "a") == {"sku": "a", "brand": "1", "brands": ["1", "2"]}
    one, several = run.error_summary
    assert (one["code"], one["field"], one["count"]) == ("unknown_reference", "brand", 2)
    assert one["message"] == "There is no record of type `brands` with this key"
    assert one["samples"][0] == {"line": 3, "row": 2, "value": "3"}
    assert (several["column"], several["field"]) == ("brands", "brands")
    assert [each["value"] for each in several["samples"]] == ["9, 8", "7"]
    law(run)


async def test_the_key_is_stored_as_its_record_has_it(parts: ImportEngine) -> None:
    await parts.run("_email\nAnn@Example.org\n")
    await parts.run("_externalId\nX-1\n")
    await parts.run("source_id,name\nC-7,Bob\n", "customers")
    assert RESOURCE.surrogate is not None
    buyer = key_from_source(RESOURCE.surrogate, parts.account_id, "C-7")
    rows = f"a,+01.0,ANN@example.org\u200b,C-7,\nb, 2 ,X-1,{buyer},a\nc,2,x-1,,\n"
    run = await parts.run("sku,brand,owner,buyer,inside\n" + rows, "parts")

    assert (run.created, run.failed) == (2, 1)
    assert await part(parts, "a") == {"sku": "a", "brand": "1", "owner": "ann@example.org", "buyer": buyer}
    assert await part(parts, "b") == {"sku": "b", "brand": "2", "owner": "X-1", "buyer": buyer, "inside": "a"}


async def test_json_names_records_by_texts_and_whole_numbers(parts: ImportEngine) -> None:
    rows = [
        {"sku": "a", "brand": 1, "brands": [2, "1"]},
        {"sku": "b", "brand": None, "brands": []},
        {"sku": "c", "brand": 1.5},
        {"sku": "d", "brand": True},
        {"sku": "e", "brands": [{}]},
        {"sku": "f", "brands": "1|3"},
        {"sku": "g", "brand": ["1"]},
    ]
    run = await parts.run("\n".join(map(json.dumps, rows)), "parts", format="jsonl")

    assert (run.created, run.failed) == (2, 5)
    assert {each["code"] for each in run.error_summary} == {"type_error", "unknown_reference"}
    assert await part(parts, "a") == {"sku": "a", "brand": "1", "brands": ["2", "1"]}
    assert await part(parts, "b") == {"sku": "b", "brand": None, "brands": []}


async def test_what_a_file_wrote_changes_nothing_when_it_comes_again(parts: ImportEngine) -> None:
    data = "sku,brand,inside,fits,brands\na,1,,,2\nb,,a,a;a,\nc,2,b,b; a;,1|2\n"
    first, again = await parts.run(data, "parts"), await parts.run(data, "parts")
    assert (first.created, again.unchanged) == (3, 3)
    assert (await part(parts, "c"))["fits"] == ["b", "a"]


@pytest.mark.parametrize(("blank", "left"), [("keep", ("1", ["1"])), ("clear", (None, None)), ("empty", (None, None))])
async def test_a_blank_cell_names_nothing(parts: ImportEngine, blank: str, left: tuple[object, object]) -> None:
    await parts.run("sku,brand,brands\na,1,1\n", "parts")
    run = await parts.run("sku,brand,brands\na,,\nb, ,\n", "parts", blank_cells=blank)
    found = await part(parts, "a")
    assert (run.failed, (found["brand"], found["brands"])) == (0, left)


async def test_a_value_that_every_row_gets_is_looked_up_too(parts: ImportEngine) -> None:
    known = await parts.run("sku\na\nb\n", "parts", constants={"brand": '"01"', "brands": "null"})
    unknown = await parts.run("sku\nc\nd\n", "parts", constants={"brand": '"9"'})
    assert (known.created, unknown.failed) == (2, 2)
    assert await part(parts, "a") == {"sku": "a", "brand": "1", "brands": None}
    assert unknown.error_summary[0]["column"] is None


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
async def test_an_earlier_row_counts_unless_it_failed_and_a_later_one_never(
    parts: ImportEngine, batch_rows: int
) -> None:
    rows = ["a,", "b,a", "c,d", "d,", "e,e", "f,c", "g,d", "a,g", "d,c", "b,z", "h,b"]
    run = await parts.with_settings(batch_rows=batch_rows).run("sku,inside\n" + "\n".join(rows), "parts")

    assert (run.created, run.updated, run.failed) == (5, 1, 5)
    assert await parts.keys("parts") == ["a", "b", "d", "g", "h"]
    assert [(await part(parts, key)).get("inside") for key in "abdgh"] == ["g", "a", None, "d", "b"]
    assert (await parts.run("sku,inside\na,a\n", "parts")).updated == 1
    law(run)


KEYS = st.sampled_from("abcde")


@settings(deadline=None, max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(KEYS, st.lists(KEYS, max_size=2)), min_size=1, max_size=12), st.integers(1, 5))
async def test_any_file_gives_the_same_in_any_batches(
    parts: ImportEngine, rows: Sequence[tuple[str, list[str]]], batch_rows: int
) -> None:
    await parts.sql("DELETE FROM records WHERE account_id = :a AND type = 'parts'", a=parts.account_id)
    expected: dict[str, list[str]] = {}
    failed = 0
    for key, named in rows:
        if expected.keys() >= set(named):
            expected[key] = named or expected.get(key, [])
        else:
            failed += 1
    data = "sku,fits\n" + "".join(f"{key},{';'.join(named)}\n" for key, named in rows)
    run = await parts.with_settings(batch_rows=batch_rows).run(data, "parts")

    assert run.failed == failed
    assert {key: (await part(parts, key)).get("fits", []) for key in await parts.keys("parts")} == expected
    law(run)


@pytest.mark.parametrize("mode", [{"override_existing": False}, {"only_empty": True}])
async def test_a_row_is_checked_whether_or_not_it_would_write(parts: ImportEngine, mode: dict[str, bool]) -> None:
    await parts.run("sku,brand\na,1\n", "parts")
    run = await parts.run("sku,brand\na,9\na,2\n", "parts", **mode)
    assert (run.failed, run.skipped + run.unchanged, (await part(parts, "a"))["brand"]) == (1, 1, "1")


async def test_a_corrected_file_of_failed_rows_imports_as_it_is(parts: ImportEngine) -> None:
    run = await parts.run("sku,brand,fits\na,7,\nb,1,\nc,1,b;y\n", "parts")
    pieces = [piece async for piece in await open_rows(parts.runtime, run, FAILED_ROWS)]
    corrected = b"".join(pieces).decode().replace("a,7,", "a,2,").replace("b;y", "b;a")
    again = await parts.run(corrected, "parts")
    assert (run.created, again.created, again.failed) == (1, 2, 0)
    assert (await part(parts, "c"))["fits"] == ["b", "a"]


async def test_the_keys_count_in_the_size_of_a_record(parts: ImportEngine) -> None:
    limit = parts.runtime.limits.record_bytes
    many = ";".join(["a"] * (limit // 4))
    run = await parts.run(
        json.dumps({"sku": "a"}) + "\n" + json.dumps({"sku": "b", "fits": many}), "parts", format="jsonl"
    )
    assert (run.created, run.failed, run.error_summary[0]["code"]) == (1, 1, "record_too_large")


async def test_rows_that_name_very_many_records_come_in_smaller_batches(parts: ImportEngine) -> None:
    rows = (f"{row},{';'.join(f'{row}x{number}' for number in range(1_000))}\n" for row in range(100))
    run = await parts.run("sku,fits\n" + "".join(rows), "parts")
    assert (run.failed, run.error_summary[0]["count"]) == (100, 100)
    assert run.batches == 100_000 / MOST_NAMES
    law(run)


async def test_so_many_behind_a_broken_quote_come_in_one_batch(parts: ImportEngine) -> None:
    """What is read together with the quote cannot be cut into smaller batches, and is not tried for ever."""
    rows = (f"{row},{row}x{';a' * 999}\n" for row in range(2 + MOST_NAMES // 1_000))
    run = await parts.run('sku,fits\n"first,b\n' + "".join(rows), "parts")
    assert (run.failed, run.total, run.batches) == (53, 53, 1)
    law(run)


async def test_another_accounts_records_are_not_known(parts: ImportEngine) -> None:
    async with parts.runtime.database.transaction() as session:
        other = await records.find_missing(session, parts.account_id + 1, {("brands", "1")})
        own = await records.find_missing(session, parts.account_id, {("brands", "1"), ("parts", "1"), ("brands", "3")})
    assert (other, own) == ({("brands", "1")}, {("parts", "1"), ("brands", "3")})


async def test_a_name_is_not_taken_for_that_of_another_type_of_key(parts: ImportEngine) -> None:
    """The key of a part is text, so its case counts; that of a contact is an address, so it does not."""
    await parts.run("sku\nabc\n", "parts")
    run = await parts.run("sku,inside\nx,ABC\ny,abc\n", "parts")
    assert (run.created, run.failed) == (1, 1)


async def test_an_own_type_stays_when_a_built_in_one_gets_its_name(engine: ImportEngine) -> None:
    async with engine.runtime.database.transaction() as session:
        await types.put(session, engine.account_id, "tags", {"key": "word", "fields": [{"id": "word", "type": "text"}]})
        await declare_type(session, engine.account_id, "parts", PARTS | {"fields": [PARTS["fields"][0], TAG]})
        own, _ = await load_resource(session, engine.account_id, "tags")
        listed = record_type(own)
    await engine.run("word\nred\n", "tags")
    run = await engine.run("sku,tag\na, red \nb,blue\n", "parts")
    assert (run.created, run.failed) == (1, 1)
    assert (listed["key"], listed["builtIn"]) == ("word", False)
