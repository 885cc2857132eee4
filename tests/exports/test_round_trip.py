"""An export that is sent back changes nothing, and brought to an empty account it is exported byte for byte again."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.declarations.types import declare_type
from app.resources.registry import BUILT_IN
from app.resources.sample import sample_csv
from app.resources.schema import Resource
from tests.exports.conftest import Exports
from tests.support.sweeps import examples, few

# What a type needs beside its file.
CONSTANTS = {"coupons": {"couponSetId": '"spring"'}}
# Their ids are made here: an empty account has other ones, or refuses those that it has not made.
MADE_HERE = {name for name, each in BUILT_IN.items() if each.made_field}

NUMBERED = {
    "key": "number",
    "generateKey": True,
    "fields": [{"id": "number", "type": "text"}, {"id": "name", "type": "text"}],
}
EVERY_TYPE = {
    "key": "code",
    "unknownColumns": "keep",
    "fields": [
        {"id": "code", "type": "text"},
        {"id": "text", "type": "text"},
        {"id": "integer", "type": "integer"},
        {"id": "decimal", "type": "decimal"},
        {"id": "boolean", "type": "boolean"},
        {"id": "date", "type": "date"},
        {"id": "datetime", "type": "datetime"},
        {"id": "email", "type": "email"},
        {"id": "phone", "type": "phone"},
        {"id": "url", "type": "url"},
        {"id": "enum", "type": "enum", "options": ["a", "b c", "=d"]},
        {"id": "list", "type": "list", "separator": "|"},
        {"id": "object", "type": "object"},
    ],
}
UGLY: list[dict[str, Any]] = [
    {"text": 'quotes " and , ; | \t'},
    {"text": "line\nbreak\r\nand more\r"},
    {"text": "=1+1", "enum": "=d"},
    {"text": '="00123"'},
    {"text": '  ="x"\t'},
    {"text": "'=1"},
    {"text": "   "},
    {"text": "\\.", "object": {"a": ["\\n", None, {}], "b": 'x"y'}},
    {"text": "Ünïcödé \U0001f600 \u2028 \u200b x"},
    {"text": "\x01\x02\x7f"},
    {"integer": "-12345678901234567890", "decimal": "1e1000"},
    {"decimal": "-1.50", "boolean": False},
    {"decimal": "2.5e-1000", "boolean": True},
    {"date": "0001-01-01", "datetime": "2026-01-31T12:00:00.123456789+02:00"},
    {"email": "=ana@example.org", "phone": "+34651234567", "url": "https://example.org/?a=b,c"},
    {"list": ["a", "b"]},
    {"list": ["a|b", "c"]},
    {"list": ['["x', 'y"]']},
    {"list": ["=1", "@x"]},
    {"list": []},
    {"object": []},
    {"another column": "kept", "=and another": "kept, too"},
]


@pytest.mark.parametrize("name", list(BUILT_IN))
@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_every_built_in_type_comes_back_unchanged(exports: Exports, name: str, format: str) -> None:
    resource, constants = BUILT_IN[name], CONSTANTS.get(name, {})
    first = await exports.load(sample_csv(resource), name, constants=constants, delimiter=",")
    assert (first.created, first.failed) == (first.total, 0), first.error_summary
    await assert_round_trip(exports, name, resource, format=format, constants=constants)


async def assert_round_trip(
    exports: Exports, name: str, resource: Resource, *, format: str = "csv", **options: Any
) -> None:
    exported = await exports.export(name, format=format)
    again = await exports.load(exported, name, format=format, delimiter=",", **options)
    assert (again.unchanged, again.failed) == (again.total, 0), again.error_summary
    assert await exports.export(name, format=format) == exported
    if name in MADE_HERE:
        return
    other = await exports.other_account()
    assert await other.keys(name) == []
    if name not in BUILT_IN:
        await declare(other, name)
    moved = await other.load(exported, name, format=format, delimiter=",", **options)
    assert (moved.created, moved.failed) == (moved.total, 0), moved.error_summary
    assert await other.export(name, format=format) == exported


async def declare(exports: Exports, name: str) -> Resource:
    async with exports.runtime.database.transaction() as session:
        return (await declare_type(session, exports.account_id, name, EVERY_TYPE))[0]


def as_lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps({"code": f"r{index:04}", **each}) + "\n" for index, each in enumerate(records))


@pytest.mark.parametrize("format", few(["csv", "jsonl"], ("csv",)))
async def test_every_field_type_comes_back_unchanged_whatever_is_in_it(exports: Exports, format: str) -> None:
    resource = await declare(exports, "things")
    stored = await exports.load(as_lines(UGLY), "things", format="jsonl")
    assert (stored.created, stored.failed) == (len(UGLY), 0), stored.error_summary
    await assert_round_trip(exports, "things", resource, format=format)


@pytest.mark.parametrize("respelled", [False, True])
async def test_a_file_of_one_column_has_a_row_for_each_record_also_where_it_is_blank(
    exports: Exports, respelled: bool
) -> None:
    records = [{"_email": "a@e.org"}, {"_email": "b@e.org", "_name": "  "}, {"_email": "c@e.org", "_name": "x"}]
    await exports.load("".join(f"{json.dumps(each)}\n" for each in records))
    mapping = {"columns": [{"column": "_name", "field": "_name", "case": "lower"}]} if respelled else None
    file = await exports.export("contacts", mapping, filter={"fields": ["_name"]})
    assert file == b'_name\n""\n"  "\nx\n'
    async with exports.runtime.database.transaction() as session:
        await declare_type(session, exports.account_id, "numbered", NUMBERED)
    assert (await exports.load(file[1:], "numbered", delimiter=",")).total == 3


async def test_null_and_empty_text_are_told_apart_where_a_file_can_do_it(exports: Exports) -> None:
    await declare(exports, "things")
    await exports.load(as_lines([{"text": ""}, {"text": None}, {}]), "things", format="jsonl", blank_cells="empty")
    kept = [{"code": "r0000", "text": ""}, {"code": "r0001", "text": None}, {"code": "r0002"}]

    lines = await exports.export("things", format="jsonl")
    assert [json.loads(each) for each in lines.splitlines()] == kept
    mapping = {
        "columns": [{"column": "Code", "field": "code"}, {"column": "Text", "field": "text", "nullMarker": "NULL"}],
        "options": {"blankCells": "empty"},
    }
    cells = await exports.export("things", mapping)
    assert cells == b'Code,Text\nr0000,""\nr0001,NULL\nr0002,NULL\n'
    again = await exports.load(cells, "things", mapping, delimiter=",", blank_cells="empty")
    assert (again.unchanged, again.failed) == (3, 0), again.error_summary
    assert (await exports.export("things")).decode().splitlines()[1:] == [f"r000{each}" + "," * 12 for each in range(3)]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SPECIAL = st.sampled_from(
    ["=", '"', "'", "\n", "\r", "\t", ",", ";", "|", "[", "]", "\\", " ", "+", "-", "@", "a", "1"]
)
UGLY_TEXTS = st.lists(SPECIAL, max_size=8).map("".join) | TEXTS
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | UGLY_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(UGLY_TEXTS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "text": UGLY_TEXTS,
        "integer": st.integers(),
        "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
        "boolean": st.booleans(),
        "date": st.dates().map(str),
        "datetime": st.datetimes().map(lambda at: at.isoformat()),
        "enum": st.sampled_from(["a", "b c", "=d"]),
        "list": st.lists(UGLY_TEXTS, max_size=4),
        "object": st.dictionaries(UGLY_TEXTS, JSON_VALUES, max_size=3) | st.lists(JSON_VALUES, max_size=3),
    },
)


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(records=st.lists(RECORDS, min_size=1, max_size=12), format=st.sampled_from(["csv", "jsonl"]))
async def test_whatever_is_stored_comes_back_unchanged(
    exports: Exports, records: list[dict[str, Any]], format: str
) -> None:
    for account in (exports, await exports.other_account()):
        await account.sql("DELETE FROM records WHERE account_id = :id", id=account.account_id)
    resource = await declare(exports, "things")
    stored = await exports.load(as_lines(records), "things", format="jsonl")
    assert stored.failed == 0, stored.error_summary
    await assert_round_trip(exports, "things", resource, format=format)
