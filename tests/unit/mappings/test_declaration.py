"""The wire form of a mapping: what it means, what is wrong with it, and what a type can take of it."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refused
from app.mappings.conversions import CONVERSIONS
from app.mappings.declaring.declaration import MOST_BYTES, MOST_COLUMNS, mapping_to_json, parse_mapping
from app.mappings.declaring.fitting import fit_mapping
from app.mappings.mapping import INLINE, MappedColumn
from app.resources.customers import RESOURCE as CUSTOMERS
from app.resources.products import RESOURCE as PRODUCTS
from app.resources.schema import Field, Resource

PRICES: dict[str, Any] = {
    "name": "Supplier A price list",
    "type": "products",
    "hasHeader": True,
    "columns": [
        {"column": "Art. no.", "field": "productId"},
        {"column": "Price", "field": "unitPrice", "decimalComma": True},
        {"column": "Valid from", "field": "validFrom", "dateFormat": "DD.MM.YYYY"},
        {"column": "Active", "field": "active", "values": {"J": "true", "N": "false"}},
        {"column": "Tags", "field": "tags", "separator": ";"},
        {"column": "Internal note", "ignore": True},
    ],
    "constants": {"currency": "EUR"},
    "options": {"delimiter": ";", "encoding": "windows-1252", "overrideExisting": True, "blankCells": "keep"},
}
TYPE = Resource(
    "prices",
    ("productId",),
    (
        Field("productId", "text", required=True),
        Field("unitPrice", "decimal"),
        Field("validFrom", "date"),
        Field("seenAt", "datetime"),
        Field("active", "boolean"),
        Field("tags", "list"),
        Field("currency", "enum", options=("EUR", "USD")),
        Field("madeAt", "datetime", read_only=True),
    ),
)


def complaints_of(body: object, resource: Resource | None = None) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        parse_mapping(body, prefix="mapping.") if resource is None else fit_mapping(parse_mapping(body), resource)
    assert refused.value.code == "invalid"
    return {each.path: each.reason for each in refused.value.complaints}


def one_column(**members: object) -> dict[str, object]:
    return {"columns": [{"column": "A", **members}]}


def test_the_example_of_the_plan_is_understood_and_written_back() -> None:
    mapping = parse_mapping(PRICES)
    assert mapping.id == INLINE
    assert mapping.columns[1] == MappedColumn("Price", "unitPrice", None, {"decimalComma": True})
    assert mapping.columns[5] == MappedColumn("Internal note", "")
    assert fit_mapping(mapping, TYPE).constants == {"currency": '"EUR"'}
    written = json.loads(msgspec.json.encode(mapping_to_json(mapping)))
    assert written == {name: value for name, value in PRICES.items() if name not in ("name", "type")}


def test_columns_are_found_by_position_too() -> None:
    columns = [{"position": 0, "field": "productId"}, {"position": 3, "field": "unitPrice"}]
    mapping = parse_mapping({"hasHeader": False, "columns": columns})
    assert [(each.position, each.name, each.field) for each in mapping.columns] == [
        (0, "Column 1", "productId"),
        (3, "Column 4", "unitPrice"),
    ]
    assert mapping_to_json(mapping) == {"hasHeader": False, "columns": columns}


@pytest.mark.parametrize(
    ("body", "path", "reason"),
    [
        ([], "mapping", "`mapping` must be a JSON object with `columns`"),
        ({}, "mapping.columns", "`mapping.columns` must be a list with at least one column"),
        (
            one_column(ignore=True) | {"x": 1},
            "mapping.x",
            ("`mapping.x` is not a member of a mapping. Use name, type, hasHeader, columns, constants or options"),
        ),
        ({"columns": [7]}, "mapping.columns[0]", "`mapping.columns[0]` must be an object with `column` and `field`"),
        (one_column(), "mapping.columns[0]", "`mapping.columns[0]` must have either `field` or `ignore`"),
        (
            one_column(field="a", ignore=True),
            "mapping.columns[0]",
            "`mapping.columns[0]` must have either `field` or `ignore`",
        ),
        (
            one_column(field="a", position=0),
            "mapping.columns[0]",
            "`mapping.columns[0]` must have either `column` or `position`",
        ),
        (
            one_column(ignore=True, trim=True),
            "mapping.columns[0]",
            "`mapping.columns[0]` is ignored, so it cannot have `trim`",
        ),
        (
            one_column(field="a", trim="yes"),
            "mapping.columns[0].trim",
            "`mapping.columns[0].trim` must be true or false",
        ),
        (
            one_column(field="a", case="Lower"),
            "mapping.columns[0].case",
            "`mapping.columns[0].case` must be lower or upper",
        ),
        (
            one_column(field="a", values={"x": 1}),
            "mapping.columns[0].values",
            "`mapping.columns[0].values` must have texts of at most 1,000 characters as its values",
        ),
        (
            one_column(field="a", default=" "),
            "mapping.columns[0].default",
            "`mapping.columns[0].default` must not be blank",
        ),
        (
            one_column(field="a", nullMarker="\0"),
            "mapping.columns[0].nullMarker",
            "`mapping.columns[0].nullMarker` must be text of 1 to 255 characters",
        ),
        (
            one_column(field="a", separator=""),
            "mapping.columns[0].separator",
            "`mapping.columns[0].separator` must be 1 to 5 printable characters",
        ),
        (
            one_column(field="a", values={"J": "true"}, case="lower"),
            "mapping.columns[0].values",
            (
                "`mapping.columns[0].values` must have texts as they are after `case`: "
                '"J" is found in no cell, because `case` is applied first'
            ),
        ),
        (
            {"columns": [{"position": 2000, "field": "a"}]},
            "mapping.columns[0].position",
            "`mapping.columns[0].position` must be a whole number from 0 to 1,999",
        ),
        (
            {"columns": [{"position": True, "field": "a"}]},
            "mapping.columns[0].position",
            "`mapping.columns[0].position` must be a whole number from 0 to 1,999",
        ),
        (
            {"columns": [{"column": "A", "field": "f"}, {"column": "B", "field": "f"}]},
            "mapping.columns",
            "`mapping.columns` must not fill the field `f` twice: by `A` and by `B`",
        ),
        (
            {"columns": [{"column": "A", "field": "f"}, {"column": "A", "ignore": True}]},
            "mapping.columns",
            "`mapping.columns` must not have `A` twice",
        ),
        (
            {"hasHeader": False, **one_column(field="a")},
            "mapping.columns",
            "`mapping.columns` must have a `position` where `hasHeader` is false, in place of the column `A`",
        ),
        (
            one_column(field="a") | {"constants": {"b": [1]}},
            "mapping.constants.b",
            "`mapping.constants.b` must be text, a number, true or false",
        ),
        (
            one_column(field="a") | {"options": {"delimiter": "x"}},
            "mapping.options.delimiter",
            "`mapping.options.delimiter` must be comma, semicolon, tab, pipe or auto",
        ),
        (
            one_column(field="a") | {"options": {"duplicates": "x"}},
            "mapping.options.duplicates",
            "`mapping.options.duplicates` must be last, first or error",
        ),
    ],
)
def test_a_mistake_is_named_in_words(body: object, path: str, reason: str) -> None:
    assert complaints_of(body) == {path: reason}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("DD.MM", "must contain the year (YYYY or YY), the month (MM or M) and the day (DD or D), each once"),
        ("DD.MM.YYYY YY", "must contain the year (YYYY or YY), the month (MM or M) and the day (DD or D), each once"),
        ("DD.MM.YYYY.DD", "must not contain a part twice"),
        ("DMMYYYY", "is ambiguous: `D` may be one digit or two, so a separator must follow it"),
        ("YYYY-MM-DD mm", "must have the hour where it has `mm`, and `mm` where it has `ss`"),
        ("YYYY-MM-DD hh:mm", "must have `hh` or `h` together with `A`, or `HH` or `H` without it"),
        ("D" * 100_000, "must have at most 100 characters"),
    ],
)
def test_a_pattern_that_could_be_read_in_two_ways_is_refused(pattern: str, reason: str) -> None:
    path = "mapping.columns[0].dateFormat"
    assert complaints_of(one_column(field="a", dateFormat=pattern)) == {path: f"`{path}` {reason}"}


def test_every_mistake_is_named_at_once() -> None:
    body = {"columns": [{"column": "A", "field": "a", "trim": 1}, {"field": "b"}], "constants": 7, "hasHeader": "no"}
    assert list(complaints_of(body)) == [
        "mapping.hasHeader",
        "mapping.columns[0].trim",
        "mapping.columns[1]",
        "mapping.constants",
    ]


def test_a_mapping_has_a_size() -> None:
    values = {f"{number:06}": "x" * 20 for number in range(10_000)}
    reason = f"`mapping` must have at most {MOST_BYTES:,} bytes"
    assert complaints_of(one_column(field="a", values=values)) == {"mapping": reason}
    columns = [{"position": 0, "ignore": True}] * (MOST_COLUMNS + 1)
    assert complaints_of({"columns": columns}) == {
        "mapping.columns": "`mapping.columns` must have at most 2,000 columns"
    }
    many = complaints_of({"columns": [7] * MOST_COLUMNS})
    assert len(many) == 101
    assert many[""] == "There are 1,900 more mistakes in the mapping"


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (
            {"field": "UnitPrice"},
            ("Column `A` cannot be mapped: the type `prices` has no field `UnitPrice`. Did you mean `unitPrice`?"),
        ),
        ({"field": "zzzzz"}, "Column `A` cannot be mapped: the type `prices` has no field `zzzzz`"),
        (
            {"field": "tags", "decimalComma": True},
            ("`decimalComma` of column `A` is not allowed for `tags`, a field of type list"),
        ),
        (
            {"field": "validFrom", "dateFormat": "DD.MM.YYYY HH:mm"},
            ("`dateFormat` of column `A` must have no time of day, because `validFrom` is a field of type date"),
        ),
        (
            {"field": "active", "values": {"J": "ja"}},
            (
                '`values` of column `A` cannot be used for "J": the value must be true '
                "or false (yes, no, 1 and 0 work too)"
            ),
        ),
        (
            {"field": "unitPrice", "decimalComma": True, "default": "1.50"},
            (
                "`default` of column `A` cannot be used: the value "
                "is not a number with a decimal comma: thousands may be separated by a point, a blank or an "
                "apostrophe, in groups of three, such as 1.234,56"
            ),
        ),
    ],
)
def test_what_the_type_cannot_take_is_named(column: dict[str, object], reason: str) -> None:
    assert complaints_of({"columns": [{"column": "A", **column}]}, TYPE) == {"columns": reason}


@pytest.mark.parametrize(
    ("constant", "reason"),
    [
        ({"curency": "EUR"}, "The type `prices` has no field `curency`. Did you mean `currency`?"),
        ({"currency": "GBP"}, "The constant of `currency` cannot be stored: the value must be one of EUR or USD"),
        ({"productId": "1"}, "`productId` cannot be a constant, because records are told apart by it"),
        ({"madeAt": "2026-01-31"}, "`madeAt` cannot be a constant, because the service fills this field itself"),
        ({"unitPrice": 1}, "`unitPrice` cannot be a constant, because column `P` fills it"),
    ],
)
def test_a_constant_that_cannot_be_is_named(constant: dict[str, object], reason: str) -> None:
    body = {"columns": [{"column": "P", "field": "unitPrice"}], "constants": constant}
    assert complaints_of(body, TYPE) == {"constants": reason}


def test_constants_are_stored_as_columns_would_be_and_fit_twice() -> None:
    constants = {"unitPrice": 1.50, "active": "yes", "tags": "a|b", "seenAt": "2026-01-31"}
    mapping = fit_mapping(
        parse_mapping({"columns": [{"column": "A", "field": "productId"}], "constants": constants}), TYPE
    )
    stored = {"unitPrice": "1.5", "active": "true", "tags": '["a","b"]', "seenAt": '"2026-01-31T00:00:00Z"'}
    assert mapping.constants == stored
    assert fit_mapping(mapping, TYPE).constants == stored


def test_a_type_that_keeps_columns_beside_its_own_has_fields_for_them() -> None:
    body = {"columns": [{"column": "A", "field": "source_id"}, {"column": "B", "field": "metadata.season"}]}
    assert fit_mapping(parse_mapping(body), CUSTOMERS).columns[1].field == "metadata.season"
    assert "season" in complaints_of({"columns": [{"column": "B", "field": "season"}]}, PRODUCTS)["columns"]


TEXTS = st.text(max_size=6) | st.sampled_from(["A", "unitPrice", "tags", "DD.MM.YYYY", "lower", "\ud800", "\0", ";"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
# The right names, so that values of every kind get as far as they can.
ANY_COLUMN = st.dictionaries(st.sampled_from(["column", "position", "field", "ignore", *CONVERSIONS]), ANY | TEXTS)
ANY_MAPPING = st.fixed_dictionaries(
    {"columns": st.lists(ANY_COLUMN, max_size=4) | ANY},
    optional=dict.fromkeys(("hasHeader", "constants", "options", "type", "x"), ANY),
)


@given(body=ANY_MAPPING | ANY)
def test_whatever_is_sent_is_understood_or_refused_and_what_is_understood_is_written_back(body: object) -> None:
    try:
        mapping = parse_mapping(body)
    except Refused as refused:
        refused.detail.encode()  # an answer can be made of it
        "".join(each.path + each.reason for each in refused.complaints).encode()
        return
    assert parse_mapping(msgspec.json.decode(msgspec.json.encode(mapping_to_json(mapping)))) == mapping
    with suppress(Refused):
        fit_mapping(mapping, TYPE)


@given(mapping=st.lists(st.sampled_from(list(CONVERSIONS)), unique=True))
def test_any_conversions_together_are_understood(mapping: list[str]) -> None:
    """For a text; what needs a number or a date is refused for it, and nothing else is."""
    values: dict[str, Any] = {
        "nullMarker": "-", "trim": True, "case": "lower", "blank": "keep", "default": "x", "values": {"a": "b"},
        "decimalComma": True, "dateFormat": "DD.MM.YYYY", "separator": ";",
    }  # fmt: skip
    column = {"column": "A", "field": "currency"} | {name: values[name] for name in mapping}
    parsed = parse_mapping({"columns": [column]})
    assert parsed.columns[0].conversions.keys() == set(mapping)
