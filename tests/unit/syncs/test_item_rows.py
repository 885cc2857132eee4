"""Every rule of the tables of the vendor's page on item updates: what a row of a file becomes."""

import io
import json
from typing import Any

import pytest

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Batch, Dialect, Limits
from app.syncs.files import Role
from app.syncs.rows.filter_rows import FilterRows, build_value_key
from app.syncs.rows.item_rows import CheckedItems, ItemRows
from app.syncs.rows.rules import RowRules
from app.syncs.rows.sync_file import examine_file, open_rows

PLAIN = RowRules()
TRIM, CLEAR, EMPTY = RowRules(trim_values=True), RowRules(blank_cells="clear"), RowRules(blank_cells="empty")
OLD = RowRules(deprecated_free_fields=True)
HIDDEN = RowRules(deprecated_free_fields=True, hide_caption=True)


def read(text: str) -> tuple[tuple[str, ...], Batch]:
    reader = open_reader(io.BytesIO(text.encode()), Dialect("csv", ";"), Limits())
    return reader.header, reader.read(reader.first, max_rows=1_000, max_bytes=1_000_000)


def check(text: str, rules: RowRules = PLAIN) -> CheckedItems:
    header, batch = read(text)
    return ItemRows(header, rules).check(batch)


def item(heading: str, cell: str, rules: RowRules = PLAIN) -> dict[str, Any]:
    """What the item A1 gets of a column with this cell."""
    checked = check(f'ItemCode;{heading}\nA1;"{cell}"\n', rules)
    assert not checked.items.problems, checked.items.problems
    stored: dict[str, Any] = json.loads(checked.items.data[0], parse_float=str)
    assert stored.pop("itemCode") == "A1"
    return stored


COTTON, ORIGIN = {"caption": "Material", "value": "Cotton"}, {"caption": "Origin", "value": "Vietnam"}


@pytest.mark.parametrize(
    ("heading", "cell", "rules", "stored"),
    [
        ("EANCode", "0123", RowRules(), {"eanCode": "0123"}),
        ("Description", " T-shirt ", RowRules(), {"description": " T-shirt "}),
        ("Description", " T-shirt ", TRIM, {"description": "T-shirt"}),
        ("Description2", "b", RowRules(), {"description2": "b"}),
        ("Description3", "c", RowRules(), {"description3": "c"}),
        ("Description4", "d", RowRules(), {"description4": "d"}),
        ("Description5", "e", RowRules(), {"description5": "e"}),
        ("SearchDescription", "tee", RowRules(), {"searchDescription": "tee"}),
        ("SalesPrice", "123.45", RowRules(), {"salesPrice": "123.45"}),
        ("SalesPrice", " 5 ", RowRules(), {"salesPrice": 5}),
        ("Currency", "EUR", RowRules(), {"currency": "EUR"}),
        ("VATIncluded", "I", RowRules(), {"vatIncluded": "I"}),
        ("VATIncluded", " I ", RowRules(), {"vatIncluded": "I"}),
        ("VATIncluded", "yes", RowRules(), {"vatIncluded": "E"}),
        ("VATIncluded", "", RowRules(), {}),
        ("VATIncluded", "", CLEAR, {"vatIncluded": "E"}),
        ("VATPercentage", "21", RowRules(), {"vatPercentage": 21}),
        ("LastAvailableStock", "-3.5", RowRules(), {"lastAvailableStock": "-3.5"}),
        ("Unit", "PCS", RowRules(), {"unit": "PCS"}),
        ("MinimumOrderQuantity", "6", RowRules(), {"minimumOrderQuantity": 6}),
        ("PurchasePackageSize", "12", RowRules(), {"purchasePackageSize": 12}),
        ("CreatedDate", "2026-01-31", RowRules(), {"createdDate": "2026-01-31T00:00:00Z"}),
        ("CreatedDate", "31/01/2026", RowRules(), {}),
        ("CreatedDate", "31/01/2026", CLEAR, {}),
        ("CreatedDate", "", CLEAR, {}),
        ("NextDelivery", "2026-12-24", RowRules(), {"nextDelivery": "2026-12-24"}),
        ("NextDelivery", "", RowRules(), {}),
        ("NextDelivery", "", CLEAR, {"nextDelivery": None}),
        ("Unit", "", CLEAR, {"unit": None}),
        ("Unit", "", EMPTY, {"unit": ""}),
        ("Unit", " ", EMPTY, {"unit": " "}),
        ("Unit", " ", RowRules(trim_values=True, blank_cells="empty"), {"unit": ""}),
        ("FreeItemFields", "Material:Cotton;Origin:Vietnam", RowRules(), {"freeItemFields": [COTTON, ORIGIN]}),
        ("FreeItemFields", " Material : Cotton ; Size: ;", RowRules(), {"freeItemFields": [COTTON]}),
        ("FreeItemFields", "Web:https://a.b", RowRules(), {"freeItemFields": [{"caption": "Web", "value": "https://a.b"}]}),
        ("FreeItemFields", "a,b;c", OLD, {"freeItemFields": [{"caption": "Vrij veld", "value": "a.b;c"}]}),
        ("FreeItemFields", "a,b", HIDDEN, {"freeItemFields": [{"caption": "", "value": "a.b"}]}),
        ("FreeItemFields", "", OLD, {}),
        ("FreeItemFields", "", CLEAR, {"freeItemFields": None}),
        ("vat percentage", "6", RowRules(), {"vatPercentage": 6}),
        ("Description 2", "b", RowRules(), {"description2": "b"}),
        ("Colour", "red", RowRules(), {}),
    ],
)  # fmt: skip
def test_a_cell_becomes_what_the_page_says(heading: str, cell: str, rules: RowRules, stored: dict[str, Any]) -> None:
    assert item(heading, cell, rules) == stored


@pytest.mark.parametrize(
    ("heading", "cell", "code"),
    [
        ("SalesPrice", "123,45", "type_error"),
        ("LastAvailableStock", "many", "type_error"),
        ("NextDelivery", "24-12-2026", "type_error"),
        ("FreeItemFields", "Cotton", "type_error"),
        ("FreeItemFields", ":Cotton", "type_error"),
        ("salesprice2", "1,5", "type_error"),
    ],
)
def test_a_cell_that_cannot_be_read_fails_its_row(heading: str, cell: str, code: str) -> None:
    checked = check(f'ItemCode;{heading}\nA1;"{cell}"\nA2;\n')
    assert [(each.line, each.column, each.code) for each in checked.items.problems] == [(2, heading, code)]
    assert (checked.items.keys, checked.items.failed, checked.failed_codes) == (["A2"], 1, ("A1",))
    assert checked.prices.keys == []


def test_rows_without_a_code_are_skipped_and_counted() -> None:
    checked = check("ItemCode;SalesPrice\n;1\nA1;2\n  ;x\n")
    assert (checked.items.keys, checked.skipped, checked.items.failed) == (["A1"], 2, 0)
    assert [(each.code, each.line, each.count) for each in checked.items.warnings] == [("no_item_code", 2, 2)]


def test_a_batch_of_nothing_but_such_rows_has_neither_items_nor_prices() -> None:
    checked = check("ItemCode;salesprice1\n;1\n")
    assert (checked.items.keys, checked.prices.keys, checked.skipped) == ([], [], 1)


def test_prices_of_all_lists_follow_from_an_item() -> None:
    checked = check('itemcode;SalesPrice1;salesprice 02;SALESPRICE3;salesprice0\nA"1;1.50;0;;7\nB;0.00;-2;1e1;0e5\n')
    assert checked.lists == ("1", "2", "3", "0")
    assert sorted(zip(checked.prices.keys, checked.prices.rows, strict=True)) == [
        ('0:A"1', 1),
        ('1:A"1', 1),
        ("2:B", 2),
        ("3:B", 2),
    ]
    assert [json.loads(each, parse_float=str) for each in checked.prices.data][:2] == [
        {"id": '1:A"1', "priceListId": "1", "itemCode": 'A"1', "price": "1.50"},
        {"id": "2:B", "priceListId": "2", "itemCode": "B", "price": -2},
    ]
    assert [set(json.loads(each)) for each in checked.items.data] == [{"itemCode"}] * 2


def test_a_date_that_cannot_be_read_is_told() -> None:
    warnings = check("ItemCode;CreatedDate\nA;soon\nB;2026-01-01\nC;\nD;32\n").items.warnings
    assert [(each.code, each.subject, each.line, each.count) for each in warnings] == [
        ("unread_date", "CreatedDate", 2, 2)
    ]


def test_codes_of_broken_rows_are_told_as_far_as_they_can_be() -> None:
    checked = check("ItemCode;Unit\nA;x;y;z\nB;PCS\n")
    assert (checked.items.keys, checked.failed_codes) == (["B"], ("A",))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("EANCode;Unit", "Column `ItemCode` is required"),
        (
            "ItemCode;salesprice1;SalesPrice01",
            "Two columns fill price list 1: `salesprice1` (column 2) and `SalesPrice01` (column 3)",
        ),
        ("ItemCode;Unit;UNIT", "Two columns fill the field `unit`: `Unit` (column 2) and `UNIT` (column 3)"),
    ],
)
def test_a_header_that_cannot_work_is_refused(header: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        check(f"{header}\nA;b;c\n")
    assert refused.value.detail == reason


@pytest.mark.parametrize(
    ("header", "row", "made"),
    [
        ("ClassName;ClassValue;ItemCode;Sequence", "Color;Red;A;5", ("Color:Red", "Color", "Red", 5, "A")),
        ("ItemClass;ItemClassValue;ItemCode", "Color;Red;A", ("Color:Red", "Color", "Red", None, "A")),
        ("Name;Value;Item Code", "Color;Red;A", ("Color:Red", "Color", "Red", None, "A")),
        ("Name;CLASSNAME;Value;ClassValue;ItemCode", "n;;v; ;A", ("n:v", "n", "v", None, "A")),
        ("Name;ClassName;Value;ClassValue;ItemCode", "n;c;v;w;A", ("c:w", "c", "w", None, "A")),
        ("ClassName;ClassValue;ItemCode", " Color ; Red ; A ", ("Color:Red", "Color", "Red", None, "A")),
        ("ClassName;ClassValue;ItemCode", "EU: 100%;Red;", ("EU%3A 100%25:Red", "EU: 100%", "Red", None, "")),
    ],
)
def test_a_filter_row_is_a_class_a_value_and_a_link(header: str, row: str, made: tuple[Any, ...]) -> None:
    columns, batch = read(f"{header}\n{row}\n")
    checked = FilterRows(columns, RowRules()).check(batch)
    (data,) = map(json.loads, checked.values.data)
    assert (data["id"], data["itemClass"], data["value"], data.get("sequence"), checked.codes[0]) == made
    assert (checked.values.keys[0], checked.classes[0]) == made[:2]


def test_filter_rows_that_name_nothing_are_skipped_and_bad_ones_tell_what_they_name() -> None:
    columns, batch = read("ClassName;ClassValue;ItemCode;Sequence\n;Red;A;1\nColor;;A;1\nColor;Red;A;first\nB;C;D;2\n")
    checked = FilterRows(columns, RowRules()).check(batch)
    assert (checked.skipped, checked.values.failed, checked.failed) == (2, 1, [("A", "Color", "Color:Red")])
    assert [(each.line, each.column, each.code) for each in checked.values.problems] == [(4, "Sequence", "type_error")]
    assert (checked.values.keys, checked.classes, checked.codes) == (["B:C"], ["B"], ["D"])


@pytest.mark.parametrize("missing", ["ClassName", "ClassValue", "ItemCode"])
def test_a_filter_file_needs_class_value_and_item(missing: str) -> None:
    columns = [each for each in ("ClassName", "ClassValue", "ItemCode") if each != missing]
    with pytest.raises(Refused, match=rf"^Column `{missing}`.* is required$"):
        FilterRows(columns, RowRules())


def test_no_two_values_have_one_key() -> None:
    pairs = [("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c"), ("a%", "c"), ("a", "%:c")]
    assert len({build_value_key(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("text", "separator", "delimiter", "rows"),
    [
        ("ItemCode;Unit\nA;x\n\nB;y\n", ";", ";", 2),
        ("ItemCode|Unit\nA|x\n", "auto", "|", 1),
        ("sep=,\nItemCode,Unit\nA,x\n", ";", ",", 1),
        ("ItemCode;Unit;_line;_codes;_messages\nA;x;2;type_error;bad\n", ",", ";", 1),
        ("ItemCode;Unit\nA;x;\nB;y;\n", ";", ";", 2),
    ],
)
def test_a_file_is_examined_once(text: str, separator: str, delimiter: str, rows: int) -> None:
    file = io.BytesIO(text.encode())
    examined = examine_file(file, Role.ITEMS, separator=separator, encoding="utf-8", limits=Limits())
    assert (examined.dialect.delimiter, examined.rows, examined.warnings) == (delimiter, rows, [])
    reader, checks = open_rows(file, Role.ITEMS, examined.dialect, rules=RowRules(), limits=Limits())
    batch = reader.read(reader.first, max_rows=checks.max_rows, max_bytes=1_000)
    assert checks.check(batch).items.failed == 0


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty_file"), ("<html><body>x</body></html>", "unreadable_file"), ("Unit\nx\n", "invalid")]
)
def test_a_file_that_is_none_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        examine_file(io.BytesIO(text.encode()), Role.ITEMS, separator=";", encoding="utf-8", limits=Limits())
    assert refused.value.code == code


def test_columns_that_nobody_knows_are_told() -> None:
    file = io.BytesIO(b"ClassName;ClassValue;ItemCode;Remark\nA;B;C;D\n")
    examined = examine_file(file, Role.FILTERS, separator=";", encoding="utf-8", limits=Limits())
    assert [(each.code, each.subject) for each in examined.warnings] == [("unknown_column", "Remark")]
