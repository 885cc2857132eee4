"""Imports with a mapping: columns under other names, conversions, files without a header, and the rows that fail."""

import json
from collections.abc import Mapping as Members
from typing import Any

import pytest

from app.errors import Refused
from app.imports.plan import load_plan
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.mappings.declaring.declaration import parse_mapping
from app.mappings.notations import decimal_commas
from app.runs.model import Run
from app.storage import types
from tests.engine.conftest import ImportEngine, law

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal", "required": True},
        {"id": "from", "type": "date"},
        {"id": "seen", "type": "datetime"},
        {"id": "active", "type": "boolean"},
        {"id": "tags", "type": "list"},
        {"id": "note", "type": "text"},
        {"id": "currency", "type": "text"},
    ],
}
COLUMNS: list[dict[str, Any]] = [
    {"column": "Art. Nr.", "field": "sku", "trim": True, "case": "upper"},
    {"column": "Preis", "field": "price", "decimalComma": True, "default": "0,00"},
    {"column": "Ab", "field": "from", "dateFormat": "DD.MM.YYYY", "nullMarker": "-"},
    {"column": "Aktiv", "field": "active", "values": {"J": "true", "N": "false"}},
    {"column": "Tags", "field": "tags", "separator": "/"},
    {"column": "Notiz", "field": "note", "blank": "clear"},
    {"column": "Lager", "ignore": True},
]
SUPPLIER = {"columns": COLUMNS, "constants": {"currency": "EUR"}}
HEADER = "art. nr.;Preis;Ab;Aktiv;Tags;Notiz;Lager\n"
FILE = (
    HEADER
    + " a1 ;1.234,56;31.01.2026;J;x|y/z;gut;7\n"
    + "b2;;-;N;;;8\n"
    + "c3;1.23,4;31.02.2026;j;x;;9\n"
    + ";2,00;01.02.2026;N;x;;9\n"
)


@pytest.fixture
async def priced(engine: ImportEngine) -> ImportEngine:
    async with engine.runtime.database.transaction() as session:
        await types.put(session, engine.account_id, "prices", TYPE)
    return engine


async def failed_rows(engine: ImportEngine, run: Run) -> str:
    pieces = [piece async for piece in await open_rows(engine.runtime, run, FAILED_ROWS)]
    return b"".join(pieces).decode("utf-8-sig")


async def submit(engine: ImportEngine, data: str, mapping: object = SUPPLIER, **options: Any) -> Run:
    return await engine.run(data, "prices", mapping=parse_mapping(mapping), delimiter=";", **options)


async def problems_of(engine: ImportEngine, run: Run) -> list[tuple[int, str | None, str, str | None]]:
    found = []
    for group in (await engine.get(run)).error_summary:
        found += [(each["row"], group["column"], group["message"], each["value"]) for each in group["samples"]]
    return sorted(found, key=lambda each: (each[0], each[1] or ""))


async def test_cells_are_converted_and_a_bad_one_fails_its_row_as_it_was_sent(priced: ImportEngine) -> None:
    run = await submit(priced, FILE)
    law(run)
    assert (run.created, run.failed) == (2, 2)
    assert await priced.record("A1", "prices") == {
        "sku": "A1", "price": 1234.56, "from": "2026-01-31", "active": True, "tags": ["x|y", "z"], "note": "gut",
        "currency": "EUR",
    }  # fmt: skip
    assert await priced.record("B2", "prices") == {
        "sku": "B2", "price": 0.00, "active": False, "note": None, "currency": "EUR"
    }  # fmt: skip
    assert await problems_of(priced, run) == [
        (3, "Ab", "The value is not a date that looks like `DD.MM.YYYY`", "31.02.2026"),
        (3, "Aktiv", "The value must be true or false (yes, no, 1 and 0 work too)", "j"),
        (3, "Preis", decimal_commas.NOT_A_NUMBER.message, "1.23,4"),
        (4, None, "The row has no key: fill `sku`", None),
    ]  # fmt: skip


async def test_failed_rows_come_back_with_the_same_mapping(priced: ImportEngine) -> None:
    run = await submit(priced, FILE)
    returned = await failed_rows(priced, run)
    assert returned.startswith(
        "art. nr.;Preis;Ab;Aktiv;Tags;Notiz;Lager;_line;_codes;_messages\r\nc3;1.23,4;31.02.2026;j;"
    )
    mended = returned.replace("1.23,4", "1.234,5").replace("31.02.2026", "28.02.2026").replace(";j;", ";J;")
    again = await submit(priced, mended)
    assert (again.created, again.failed) == (1, 1)
    record = await priced.record("C3", "prices")
    assert record is not None
    assert (record["price"], record["from"], record["active"]) == (1234.5, "2026-02-28", True)


async def test_a_file_without_a_header_is_read_by_position_and_its_failed_rows_come_back(priced: ImportEngine) -> None:
    columns = [{"position": 1, "field": "sku"}, {"position": 3, "field": "price", "decimalComma": True}]
    mapping = {"hasHeader": False, "columns": columns}
    run = await submit(priced, "x;a;y;1,5\nx;b;y;zwei\n", mapping)
    assert (run.created, run.failed, run.total) == (1, 1, 2)
    assert {each["subject"] for each in run.warnings} == {"Column 1", "Column 3"}
    assert load_plan(run).header == ("Column 1", "Column 2", "Column 3", "Column 4")
    returned = await failed_rows(priced, run)
    assert returned.splitlines()[0] == "Column 1;Column 2;Column 3;Column 4;_line;_codes;_messages"
    again = await submit(priced, returned.replace("zwei", "2,25"), mapping)
    assert (again.created, again.failed) == (1, 0)
    assert (await priced.record("b", "prices") or {})["price"] == 2.25


async def test_a_column_without_a_heading_may_have_data_if_its_position_is_mapped(priced: ImportEngine) -> None:
    """And a value that its field refuses is shown as it was sent, not as it was converted."""
    columns = [{"column": "Nr", "field": "sku"}, {"column": "P", "field": "price", "decimalComma": True}]
    columns += [{"position": 2, "field": "active", "case": "upper", "trim": True}]
    run = await submit(priced, "Nr;P;\na;1,5;yes\nb;1,5; maybe \n", {"columns": columns})
    assert (run.created, run.failed) == (1, 1)
    assert (await priced.record("a", "prices") or {})["active"] is True
    assert await problems_of(priced, run) == [
        (2, "Column 3", "The value must be true or false (yes, no, 1 and 0 work too)", " maybe ")
    ]
    with pytest.raises(Refused, match="Column 3 has no heading, but line 2 has data in it"):
        await submit(priced, "Nr;P;\na;1,5;yes\n", {"columns": columns[:2]})


async def test_members_of_json_lines_have_names_of_the_mapping_and_come_back_as_csv(priced: ImportEngine) -> None:
    lines: list[Members[str, object]] = [
        {"Art. Nr.": "a1", "Preis": "1,5", "Aktiv": "N", "Lager": 1, "sku": "other", "Tags": ["x", "y"]},
        {"Art. Nr.": "b2", "Preis": 2.5, "Aktiv": True, "Tags": ["x", "y"], "Ab": "1.1."},
    ]
    data = "".join(json.dumps(each) + "\n" for each in lines)
    run = await submit(priced, data, format="jsonl")
    assert (run.created, run.failed) == (1, 1)
    assert await priced.record("A1", "prices") == {
        "sku": "A1", "price": 1.5, "active": False, "tags": ["x", "y"], "currency": "EUR"
    }  # fmt: skip
    assert [each["subject"] for each in run.warnings] == ["sku"]
    returned = await failed_rows(priced, run)
    again = await priced.run(returned.replace("1.1.", "01.01.2026"), "prices", mapping=parse_mapping(SUPPLIER))
    assert (again.created, again.failed) == (1, 0)
    assert await priced.record("B2", "prices") == {
        "sku": "B2", "price": 2.5, "active": True, "tags": ["x", "y"], "from": "2026-01-01", "note": None,
        "currency": "EUR",
    }  # fmt: skip


async def test_members_that_a_mapping_does_not_name_are_not_kept_as_fields(priced: ImportEngine) -> None:
    data = '{"Art. Nr.": "a1", "Preis": "1,5", "price": "junk"}\n{"Art. Nr.": "b2", "Preis": "1", "colour": "red"}\n'
    run = await submit(priced, data, format="jsonl", unknown_columns="keep")
    assert (run.created, run.failed) == (1, 1)
    assert await problems_of(priced, run) == [
        (
            1,
            "price",
            "The mapping does not name this member, and it cannot be kept, because a field is called so",
            "junk",
        )
    ]


async def test_paths_of_nested_records_are_mapped(engine: ImportEngine) -> None:
    columns = [
        {"column": "id", "field": "productID"},
        {"column": "info.title", "field": "productName"},
        {"column": "info.cost", "field": "price", "decimalComma": True},
    ]
    data = json.dumps({"id": "p1", "info": {"title": "Stapler", "cost": "1.000,5"}, "variants": [{"sku": "s"}]})
    run = await engine.run(
        data + "\n", "catalog", mapping=parse_mapping({"columns": columns}), format="jsonl", unknown_columns="ignore"
    )
    assert (run.created, run.failed) == (1, 0), run.error_summary
    record = await engine.record("p1", "catalog")
    assert record is not None
    assert (record["productName"], record["price"]) == ("Stapler", 1000.5)
    assert not [name for name in record if name.startswith("variants")]


async def test_a_field_that_the_type_has_lost_is_named(priced: ImportEngine) -> None:
    with pytest.raises(Refused) as refused:
        await submit(priced, "A\nx\n", {"columns": [{"column": "A", "field": "skuu"}]})
    assert refused.value.detail == (
        "Column `A` cannot be mapped: the type `prices` has no field `skuu`. Did you mean `sku`?"
    )


async def test_a_waiting_import_keeps_the_mapping_it_was_accepted_with(priced: ImportEngine) -> None:
    """The row holds all of it: editing a template changes no accepted import, and a rerun has the same again."""
    mapping = parse_mapping(SUPPLIER)
    run = await priced.submit(FILE, "prices", mapping=mapping, delimiter=";")
    plan = load_plan(await priced.get(run))
    assert plan.mapping.columns == mapping.columns
    assert plan.mapping.constants == {"currency": '"EUR"'}
    assert plan.ignored == (6,)
    assert run.options["mapping"] == {"id": "inline", "name": ""}
    assert "mapping" not in (await priced.submit("_email\na@b.example\n")).options
