"""What was imported is what is read back, cell by cell, for every field type and both formats."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.resources.invisible import clean_prose
from app.storage import records, types
from tests.engine.conftest import ImportEngine, law
from tests.support.sweeps import examples

FIELDS: list[dict[str, object]] = [
    {"id": "sku", "type": "text"},
    {"id": "text", "type": "text"},
    {"id": "integer", "type": "integer"},
    {"id": "decimal", "type": "decimal"},
    {"id": "boolean", "type": "boolean"},
    {"id": "date", "type": "date"},
    {"id": "datetime", "type": "datetime"},
    {"id": "email", "type": "email"},
    {"id": "phone", "type": "phone"},
    {"id": "url", "type": "url"},
    {"id": "enum", "type": "enum", "options": ["red", "green"]},
    {"id": "list", "type": "list", "separator": ";"},
    {"id": "object", "type": "object"},
]
NAMES = [str(field["id"]) for field in FIELDS]

# One row per spelling: the cells, and what is stored as JSON (numbers as their digits).
SPELLINGS: list[tuple[str, str, str]] = [
    ("text", " blanks kept ", '" blanks kept "'),
    (
        "text",
        'a "quoted" \\ text, with\nlines\tand ü €',
        json.dumps('a "quoted" \\ text, with\nlines\tand ü €', ensure_ascii=False),
    ),
    ("text", "=1+1", '"=1+1"'),
    ("text", "\u2028\u0085\x1f", json.dumps("\u2028\u0085\x1f", ensure_ascii=False)),
    ("integer", " 42 ", "42"),
    ("integer", "-9007199254740993123456789", "-9007199254740993123456789"),
    ("integer", "+7", "7"),
    ("decimal", "1.10", "1.10"),
    ("decimal", "1.10000000000000000001", "1.10000000000000000001"),
    ("decimal", "-.5", "-0.5"),
    ("boolean", "YES", "true"),
    ("boolean", "0", "false"),
    ("date", "2024-02-29", '"2024-02-29"'),
    ("datetime", "2024-02-29T10:00:00+02:00", '"2024-02-29T08:00:00Z"'),
    ("email", "Ann.Smith@Example.org", '"Ann.Smith@Example.org"'),
    ("phone", "+34651234567", '"+34651234567"'),
    ("url", "https://example.org/ü?a=1&b=2", '"https://example.org/ü?a=1&b=2"'),
    ("enum", "green", '"green"'),
    ("list", "a; b;;c", '["a", "b", "c"]'),
    ("object", '{"b": 1.50, "a": [true, null]}', '{"a": [true, null], "b": 1.50}'),
]


async def declare(engine: ImportEngine, fields: Sequence[dict[str, object]] = FIELDS, **more: object) -> None:
    async with engine.runtime.database.transaction() as session:
        await types.put(session, engine.account_id, "things", {"key": "sku", "fields": list(fields), **more})


def csv_row(cells: dict[str, str]) -> str:
    return ",".join('"' + cells.get(name, "").replace('"', '""') + '"' for name in NAMES) + "\r\n"


async def stored(engine: ImportEngine) -> dict[str, str]:
    async with engine.runtime.database.snapshot() as session:
        rows = (
            await records.page(session, engine.account_id, "things", after=None, limit=10_000, max_bytes=10**9)
        ).rows
    return {row["key"]: row["data"] for row in rows}


async def test_every_type_comes_back_as_it_went_in(engine: ImportEngine) -> None:
    await declare(engine)
    rows = [csv_row({"sku": f"s{number:03d}", field: cell}) for number, (field, cell, _) in enumerate(SPELLINGS)]

    run = await engine.run(",".join(NAMES) + "\r\n" + "".join(rows), "things")

    assert (run.created, run.failed, list(run.error_summary)) == (len(SPELLINGS), 0, [])
    found = await stored(engine)
    for number, (field, _, expected) in enumerate(SPELLINGS):
        # jsonb writes {"key": value}: the text shows the digits, json.loads would hide them.
        assert f'"{field}": {expected}' in found[f"s{number:03d}"]
    law(run)


async def test_the_same_things_come_back_from_json_lines(engine: ImportEngine) -> None:
    await declare(engine)
    things: list[dict[str, Any]] = [
        {"sku": "a", "text": "x", "integer": 3, "decimal": Decimal("1.10"), "boolean": True, "date": "2024-02-29"},
        {"sku": "b", "list": ["p", "q"], "object": {"k": [1, {"z": None}]}, "enum": "red", "integer": "17"},
        {"sku": "c", "text": None},
    ]
    lines = "".join(json.dumps(each, default=str).replace('"1.10"', "1.10") + "\n" for each in things)

    run = await engine.run(lines, "things", format="jsonl")

    assert (run.created, run.failed, list(run.error_summary)) == (3, 0, [])
    found = {key: json.loads(data, parse_float=Decimal) for key, data in (await stored(engine)).items()}
    assert found["a"] == things[0]
    assert '"decimal": 1.10' in (await stored(engine))["a"]
    assert found["b"] == things[1] | {"integer": 17}
    assert found["c"] == things[2]


async def test_wrong_json_values_are_row_errors(engine: ImportEngine) -> None:
    await declare(engine)
    lines = [
        '{"sku": "a", "text": 5}',
        '{"sku": "b", "integer": true}',
        '{"sku": "c", "decimal": 1e999999}',
        '{"sku": "d", "decimal": NaN}',
        '{"sku": "e", "sku": "f"}',
        "[1]",
        '{"text": "no key"}',
        '{"sku": "g\\u0000"}',
        '{"sku": "h", "text": "\\ud800"}',
        '{"sku": "ok"}',
    ]
    run = await engine.run("\n".join(lines), "things", format="jsonl")
    assert (run.state, run.total, run.created, run.failed) == ("finished", 10, 1, 9)
    law(run)


async def test_unknown_members_are_kept_as_they_came(engine: ImportEngine) -> None:
    await declare(engine, unknownColumns="keep")
    lines = '{"sku": "a", "extra": 1.50, "deep": {"x": [1]}, "yes": true, "no": null}\n{"sku": "b"}\n'
    run = await engine.run(lines, "things", format="jsonl")
    assert (run.created, run.failed) == (2, 0)
    assert (await stored(engine))["a"] == '{"no": null, "sku": "a", "yes": true, "deep": {"x": [1]}, "extra": 1.50}'


async def test_unknown_columns_are_ignored_with_one_warning_kept_or_refused(engine: ImportEngine) -> None:
    from app.errors import Refused

    await declare(engine)
    data = "sku,nonsense\na,1\nb,2\n"

    ignored = await engine.run(data, "things")
    kept = await engine.run(data, "things", unknown_columns="keep")

    assert [(each["code"], each["subject"], each["count"]) for each in ignored.warnings] == [
        ("unknown_column", "nonsense", 1)
    ]
    assert kept.updated == 2
    assert (await stored(engine))["a"] == '{"sku": "a", "nonsense": "1"}'
    with pytest.raises(Refused, match="no field `nonsense`"):
        await engine.submit(data, "things", unknown_columns="error")


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(deadline=None, max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20))
async def test_any_text_comes_back_identical(engine: ImportEngine, rows: list[tuple[str, str]]) -> None:
    await declare(engine)
    await engine.sql("DELETE FROM records WHERE account_id = :a", a=engine.account_id)
    lines = [csv_row({"sku": f"s{number}", "text": first, "email": ""}) for number, (first, _) in enumerate(rows)]

    run = await engine.run(",".join(NAMES) + "\r\n" + "".join(lines), "things")

    assert run.created == len(rows)
    found = {key: json.loads(data).get("text", "") for key, data in (await stored(engine)).items()}
    # But for what nobody can see at its ends (ADR 29).
    assert found == {f"s{number}": clean_prose(first) for number, (first, _) in enumerate(rows)}


async def test_unknown_members_refused_fail_only_the_rows_that_have_them(engine: ImportEngine) -> None:
    await declare(engine, unknownColumns="error")
    run = await engine.run('{"sku": "a"}\n{"sku": "b", "zzz": 1}\n', "things", format="jsonl")
    assert (run.created, run.failed, run.error_summary[0]["code"]) == (1, 1, "unknown_column")
