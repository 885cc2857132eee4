"""Hints: what the seen values of a group bear out, and what they do not."""

from typing import Any

import pytest

from app.formats.records import Dialect
from app.mappings.hints.giving import HintGiver
from app.mappings.mapping import Conversions
from app.problems import Problem
from app.resources.schema import Field, Resource
from app.runs.summary import SEEN, SummaryGroup, add_problems

FIELDS = (
    Field("email", "email"),
    Field("price", "decimal"),
    Field("weight", "decimal"),
    Field("points", "integer"),
    Field("born", "date"),
    Field("seen", "datetime"),
    Field("active", "boolean"),
    Field("status", "enum", options=("subscribed", "unsubscribed", "pending", "In stock", "size-10")),
)
TYPE = Resource("people", fields=FIELDS, keys=("email",))


def sum_up(*found: tuple[str | None, str, list[str]], asked: Conversions | None = None) -> list[SummaryGroup]:
    """The groups of these problems, each (field, code, values), with their hints."""
    summary: list[SummaryGroup] = []
    for field, code, values in found:
        add_problems(summary, [Problem(2, 1, field, field, code, "wrong", value) for value in values])
    conversions = {field.id: asked or {} for field in FIELDS}
    HintGiver(TYPE, conversions, Dialect("csv"), columns=3).give(summary)
    return summary


CURED: list[tuple[str | None, str, list[str], Conversions, dict[str, Any]]] = [
    (
        "price",
        "type_error",
        ["1,5", "n/a", "1,234"],
        {},
        {"corrections": [{"column": "price", "decimalComma": True}]},
    ),
    (
        "price",
        "type_error",
        ["1.234,50", "9,99"],
        {},
        {"columns": [{"column": "price", "field": "price", "decimalComma": True}]},
    ),
    ("points", "type_error", ["12,0"], {}, {"corrections": [{"column": "points", "decimalComma": True}]}),
    (
        "price",
        "type_error",
        ["12.5"],
        {"decimalComma": True},
        {"columns": [{"column": "price", "field": "price", "decimalComma": False}]},
    ),
    ("born", "type_error", ["31.12.2026"], {}, {"corrections": [{"column": "born", "dateFormat": "DD.MM.YYYY"}]}),
    (
        "born",
        "type_error",
        ["2026-31-01"],
        {},
        {"columns": [{"column": "born", "field": "born", "dateFormat": "YYYY-DD-MM"}]},
    ),
    (
        "seen",
        "type_error",
        ["1/31/2026 10:15", "2/13/2026 9:00"],
        {},
        {"corrections": [{"column": "seen", "dateFormat": "M/D/YYYY H:mm"}]},
    ),
    (
        "born",
        "type_error",
        ["12/31/2026"],
        {"dateFormat": "D/M/YYYY"},
        {"columns": [{"column": "born", "field": "born", "dateFormat": "MM/DD/YYYY"}]},
    ),
    (
        "born",
        "type_error",
        ["2026-12-31"],
        {"dateFormat": "DD.MM.YYYY"},
        {"corrections": [{"column": "born", "dateFormat": "YYYY-MM-DD"}]},
    ),
    ("active", "type_error", ["Ja"], {}, {"corrections": [{"column": "active", "from": "Ja", "to": "true"}]}),
    (
        "status",
        "not_an_option",
        ["Subscribed", "suscribed", "other", "in-stock"],
        {},
        {
            "corrections": [
                {"column": "status", "from": "Subscribed", "to": "subscribed"},
                {"column": "status", "from": "suscribed", "to": "subscribed"},
                {"column": "status", "from": "in-stock", "to": "In stock"},
            ]
        },
    ),
    (None, "encoding_error", ["M\\xfcller,caf\\xe9"], {}, {"options": {"encoding": "windows-1252"}}),
    (None, "missing_cell", ["a;b;c", "1;2;3"], {}, {}),
]


@pytest.mark.parametrize(("field", "code", "seen", "asked", "fix"), CURED)
def test_a_group_has_the_fix_that_no_value_contradicts(
    field: str | None, code: str, seen: list[str], asked: Conversions, fix: dict[str, Any]
) -> None:
    (group,) = sum_up((field, code, seen), asked=asked)
    assert {name: told for name, told in group.get("fix", {}).items() if name != "action"} == fix
    assert group["hint"]
    action = "correct" if "corrections" in fix else "importAgain"
    assert "fix" not in group or group["fix"]["action"] == action


UNCURED: list[tuple[str | None, str, list[str], Conversions]] = [
    ("price", "type_error", ["1,234"], {}),  # may be more than a thousand
    ("price", "type_error", ["12,50", "12.5.6"], {}),
    ("born", "type_error", ["03/04/2026"], {}),  # March or April
    ("born", "type_error", ["31.12.2026", "31.12."], {}),
    ("active", "type_error", ["ja", "vielleicht"], {}),
    ("status", "not_an_option", ["nsubscribed", "inactive", "size-11", "?"], {}),
    (None, "encoding_error", ["Za\\xbf\\xf3\\xb3\\xe6"], {}),  # Polish, in windows-1250
    (None, "encoding_error", ["M\\xfcller,Zoë"], {}),  # the file has UTF-8 as well
    (None, "missing_cell", ["a;b;c", "1;2"], {}),
    ("email", "type_error", ["ana@"], {}),
    ("price", "required", [""], {}),
]


@pytest.mark.parametrize(("field", "code", "seen", "asked"), UNCURED)
def test_nothing_is_said_that_a_value_contradicts_or_that_may_mean_two_things(
    field: str | None, code: str, seen: list[str], asked: Conversions
) -> None:
    (group,) = sum_up((field, code, seen), asked=asked)
    assert "hint" not in group
    assert "fix" not in group


def test_an_encoding_is_no_cause_where_the_file_is_read_in_another_than_utf_8() -> None:
    summary: list[SummaryGroup] = []
    add_problems(summary, [Problem(2, 1, None, None, "encoding_error", "wrong", "2,b\\xff")])
    for encoding, told in (("utf-8", True), ("utf-16-le", False)):
        HintGiver(TYPE, {}, Dialect("csv", encoding=encoding), columns=2).give(summary)
        assert ("hint" in summary[0]) is told


def test_the_same_cause_in_several_columns_is_told_once() -> None:
    first, second, other = sum_up(
        ("price", "type_error", ["1,5"]), ("weight", "type_error", ["2,25"]), ("born", "type_error", ["31.12.2026"])
    )
    assert first["hint"] == "Numbers in `price` and `weight` have a decimal comma. Read them with `decimalComma`"
    assert [each["column"] for each in first["fix"]["corrections"]] == ["price", "weight"]
    assert "hint" not in second
    assert "fix" not in second
    assert other["hint"] == "Dates in `born` are written as `DD.MM.YYYY`. Read them with this `dateFormat`"


def test_a_value_of_a_later_batch_takes_a_hint_back() -> None:
    summary = sum_up(("price", "type_error", ["1,5"]))
    assert "hint" in summary[0]
    giver = HintGiver(TYPE, {}, Dialect("csv"), columns=3)
    add_problems(summary, [Problem(3, 2, "price", "price", "type_error", "wrong", "1.2.3")])
    giver.give(summary)
    assert "hint" not in summary[0]


def test_few_and_whole_values_are_kept() -> None:
    (group,) = sum_up(("price", "type_error", [*map(str, range(100)), "x" * 200]))
    assert group["seen"] == [str(number) for number in range(SEEN)]
