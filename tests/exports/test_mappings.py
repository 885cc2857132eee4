"""A mapping says which columns an export has, how they are called and how their cells are written."""

import json
from typing import Any

import pytest

from app.declarations.types import declare_type
from app.imports.results.csv_cells import format_cell
from app.resources.texts import read_json_list
from tests.exports.conftest import Exports

PRICES: dict[str, Any] = {
    "columns": [
        {"column": "Art. no.", "field": "productId"},
        {"column": "Internal note", "ignore": True},
        {"column": "Price", "field": "unitPrice", "decimalComma": True},
        {"column": "Since", "field": "publishedAt", "dateFormat": "DD.MM.YYYY"},
        {"column": "Sold?", "field": "isBlacklisted", "values": {"J": "true", "N": "false"}},
        {"column": "Tags", "field": "tags", "separator": ";"},
        {"column": "Text", "field": "description", "nullMarker": "n.a."},
        {"column": "Name", "field": "name"},
        {"column": "URL", "field": "productDetailUrl"},
    ],
    "options": {"delimiter": ";", "blankCells": "empty"},
}
PRODUCTS = b"""\
{"productId": "1", "productDetailUrl": "https://example.org/1", "name": "One", "unitPrice": -1.50, "description": "",
 "publishedAt": "2026-02-01T00:00:00Z", "isBlacklisted": true, "tags": ["new", "red"]}
{"productId": "2", "productDetailUrl": "https://example.org/2", "name": "=1+1", "unitPrice": 2, "description": null}
""".replace(b",\n ", b", ")


@pytest.fixture
async def products(exports: Exports) -> Exports:
    run = await exports.load(PRODUCTS, "products", format="jsonl", blank_cells="empty")
    assert (run.created, run.failed) == (2, 0)
    return exports


async def test_columns_have_the_headings_the_order_and_the_spelling_of_the_mapping(products: Exports) -> None:
    exported = await products.export("products", PRICES)
    assert exported.decode() == (
        "Art. no.;Price;Since;Sold?;Tags;Text;Name;URL\n"
        '1;-1,50;01.02.2026;J;"new;red";;One;https://example.org/1\n'
        "2;2;;;;n.a.;=1+1;https://example.org/2\n"
    )
    again = await products.load(exported, "products", PRICES, delimiter=";")
    assert (again.unchanged, again.failed) == (2, 0), again.error_summary


async def test_json_lines_have_the_names_and_the_spelling_of_the_mapping(products: Exports) -> None:
    exported = await products.export("products", PRICES, format="jsonl")
    assert exported.decode() == (
        '{"Art. no.":"1","Price":-1.50,"Since":"01.02.2026","Sold?":true,"Tags":["new", "red"],"Text":"","Name":"One",'
        '"URL":"https://example.org/1"}\n'
        '{"Art. no.":"2","Price":2,"Text":null,"Name":"=1+1","URL":"https://example.org/2"}\n'
    )
    again = await products.load(exported, "products", PRICES)
    assert (again.unchanged, again.failed) == (2, 0), again.error_summary


async def test_a_file_without_a_header_keeps_the_positions_of_its_columns(exports: Exports) -> None:
    mapping = {
        "hasHeader": False,
        "columns": [
            {"position": 3, "field": "_name"},
            {"position": 1, "ignore": True},
            {"position": 0, "field": "_email"},
        ],
    }
    assert (await exports.load("_email,_name\na@example.org,Ana\nb@example.org,Bob\n")).created == 2
    exported = await exports.export("contacts", mapping)
    assert exported.decode() == "a@example.org,,,Ana\nb@example.org,,,Bob\n"
    again = await exports.load(exported, "contacts", mapping, delimiter=",")
    assert (again.unchanged, again.failed) == (2, 0), again.error_summary


async def test_line_breaks_of_every_kind_stay_in_their_cells(exports: Exports) -> None:
    names = ["a\rb", "a\r\nb", "a\nb", '"\r', "a,\rb", "plain"]
    mapping = {
        "columns": [
            {"column": "E\rmail", "field": "_email"},
            {"column": "N", "field": "_name"},
            {"column": "B", "field": "_birthdate", "dateFormat": "DD.MM.YYYY"},
        ]
    }
    stored = await exports.load(as_json(names), "contacts", format="jsonl")
    assert (stored.created, stored.failed) == (len(names), 0)

    exported = await exports.export("contacts", mapping)
    rows = "".join(f"p{index:02}@example.org,{quoted(name)},\n" for index, name in enumerate(names))
    assert exported.decode() == f'"E\rmail",N,B\n{rows}'
    again = await exports.load(exported, "contacts", mapping, delimiter=",")
    assert (again.total, again.unchanged) == (len(names), len(names)), again.error_summary


async def test_formulas_are_neutralized_and_read_again(exports: Exports) -> None:
    names = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "'=x", "''=x", '="x"', ' ="x" ', "-5", "+1,5", "it's", "'x", "'"]
    written = [f"'{name}" if name[0] in "=+-@\t\r" or name.startswith(("'=", "''=")) else name for name in names]
    written = [name if name not in ("'-5", "'+1,5") else name[1:] for name in written]
    mapping = {
        "columns": [
            {"column": "E", "field": "_email"},
            {"column": "N", "field": "_name"},
            {"column": "S", "field": "_surname"},
        ]
    }
    stored = await exports.load(as_json(names), "contacts", format="jsonl")
    assert (stored.created, stored.failed) == (len(names), 0)

    exported = await exports.export("contacts", mapping, formulas="neutralize")
    cells = [quoted(name) for name in written]
    cells[9] = quoted('="' + names[9].replace('"', '""') + '"')  # is read as a formula for text, and is none otherwise
    rows = "".join(f"p{index:02}@example.org,{cell},\n" for index, cell in enumerate(cells))
    assert exported.decode() == f"E,N,S\n{rows}"
    for formulas in ("neutralize", "keep"):
        exported = await exports.export("contacts", mapping, formulas=formulas)
        again = await exports.load(exported, "contacts", mapping, delimiter=",")
        assert (again.unchanged, again.failed) == (len(names), 0), again.error_summary
    assert (await exports.load(await exports.export(), "contacts", delimiter=",")).unchanged == len(names)


async def test_a_list_is_split_into_the_same_items_whatever_they_end_with(exports: Exports) -> None:
    lists = [["a ||", "b"], ["a |", "b"], ["a |||", "b"], ["|| a", "b"], ['["a"]', "b"], ["a || b"], ["a", "b ||"]]
    declaration = {
        "key": "code",
        "fields": [{"id": "code", "type": "text"}, {"id": "list", "type": "list", "separator": " || "}],
    }
    async with exports.runtime.database.transaction() as session:
        await declare_type(session, exports.account_id, "things", declaration)
    lines = [json.dumps({"code": str(number), "list": items}) + "\n" for number, items in enumerate(lists)]
    assert (await exports.load("".join(lines), "things", format="jsonl")).created == len(lists)
    exported = await exports.export("things")
    assert exported.decode().splitlines()[2] == "1,a | || b"
    again = await exports.load(exported, "things", delimiter=",")
    assert (again.unchanged, again.updated) == (len(lists), 0), exported
    for items in lists:
        cell = format_cell(items, " || ")
        assert (read_json_list(cell) if cell.startswith('["') else cell.split(" || ")) == items


async def test_names_of_members_that_look_like_formulas_are_neutralized(exports: Exports) -> None:
    """They become headings, and are whatever somebody has sent."""
    declaration = {"key": "code", "unknownColumns": "keep", "fields": [{"id": "code", "type": "text"}]}
    async with exports.runtime.database.transaction() as session:
        await declare_type(session, exports.account_id, "things", declaration)
    stored = await exports.load('{"code": "a", "=1+1": "x", "@x": "y", "plain": "z"}\n', "things", format="jsonl")
    assert (stored.created, stored.failed) == (1, 0)
    for formulas, header in (("keep", "code,=1+1,@x,plain"), ("neutralize", "code,'=1+1,'@x,plain")):
        assert (await exports.export("things", formulas=formulas)).decode() == f"{header}\na,x,y,z\n"
    mapping = {"columns": [{"column": "=Code", "field": "code"}]}
    assert (await exports.export("things", mapping, formulas="neutralize")).decode() == "=Code\na\n"


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(each in cell for each in '",\n\r') else cell


def as_json(names: list[str]) -> str:
    return "".join(
        json.dumps({"_email": f"p{index:02}@example.org", "_name": name}) + "\n" for index, name in enumerate(names)
    )
