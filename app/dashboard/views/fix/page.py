"""The page on which bad values are corrected: by column and value, then cell by cell."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from app.dashboard.sentences import tell_hint
from app.imports.corrections.values import FailedValue, FailedValues
from app.problems import VALUE_CHARACTERS, Problem
from app.runs.model import Run

MOST_COLUMNS: Final = 20
VALUES_OF_COLUMN: Final = 10
MOST_ROWS: Final = 50
MOST_CELLS: Final = 200


@dataclass(frozen=True, slots=True)
class FixValue:
    """A bad value, and the field of the form that says what it should be. `known` is how the form names it."""

    place: str  # in the form: the number of the column and of the value
    known: str
    value: str
    count: int

    @property
    def field(self) -> str:
        return f"to-{self.place}"


@dataclass(frozen=True, slots=True)
class FixColumn:
    """A column with bad values, the most frequent first; of `more` there is no line. `ways` are conversions that help
    with some."""

    number: int
    name: str
    hint: str
    cells: int
    values: Sequence[FixValue]
    more: int
    ways: frozenset[str]


@dataclass(frozen=True, slots=True)
class FixCell:
    """A bad cell with the field of the form that corrects it."""

    place: str
    known: str
    line: int
    key: str
    column: str
    value: str
    message: str

    @property
    def field(self) -> str:
        return f"cell-{self.place}"


@dataclass(frozen=True, slots=True)
class FixView:
    columns: Sequence[FixColumn]
    cells: Sequence[FixCell]
    others: int  # bad cells with values that are too many to be told


def view_fix(run: Run, found: FailedValues, problems: Iterable[Problem], ways: Mapping[str, frozenset[str]]) -> FixView:
    hints = {name: group["hint"] for group in run.error_summary if "hint" in group for name in list_hinted(group)}
    by_column = sorted(found.values, key=lambda each: each.column)
    grouped = [(name, sorted(each, key=lambda one: one.rank)) for name, each in groupby(by_column, lambda o: o.column)]
    grouped.sort(key=lambda each: -sum(one.count for one in each[1]))
    columns = [
        build_column(number, name, values, tell_hint(hints.get(name, "")), ways.get(name, frozenset()))
        for number, (name, values) in enumerate(grouped[:MOST_COLUMNS])
    ]
    return FixView(columns, list(build_cells(problems))[:MOST_CELLS], found.others)


def list_hinted(group: Mapping[str, Any]) -> list[str]:
    """The columns that a hint is about."""
    fix = group.get("fix", {})
    return [each["column"] for each in (*fix.get("corrections", ()), *fix.get("columns", ()))]


def build_column(number: int, name: str, values: Sequence[FailedValue], hint: str, ways: frozenset[str]) -> FixColumn:
    whole = [each for each in values if not each.cut]
    shown = [
        FixValue(f"{number}-{index}", json.dumps([name, each.code, each.value]), each.value, each.count)
        for index, each in enumerate(whole[:VALUES_OF_COLUMN])
    ]
    cells = sum(each.count for each in values)
    return FixColumn(number, name, hint, cells, shown, len(values) - len(shown), ways)


def build_cells(problems: Iterable[Problem]) -> Iterator[FixCell]:
    """One for each bad cell of the rows that come first."""
    seen: set[tuple[int, str]] = set()
    for each in problems:
        if each.column is None or (each.row, each.column) in seen or len(each.value or "") >= VALUE_CHARACTERS:
            continue
        seen.add((each.row, each.column))
        known = json.dumps([each.row, each.column, each.value or ""])
        yield FixCell(str(len(seen) - 1), known, each.line, each.key or "", each.column, each.value or "", each.message)


def propose(run: Run, view: FixView) -> dict[str, str]:
    """The fields of the form as the hints fill them, and bad cells as they are."""
    proposed = {cell.field: cell.value for cell in view.cells}
    fixes = [group.get("fix", {}) for group in run.error_summary]
    corrections = [each for fix in fixes if fix.get("action") == "correct" for each in fix["corrections"]]
    for column in view.columns:
        for each in corrections:
            if each["column"] != column.name:
                continue
            if each.get("decimalComma"):
                proposed[f"comma-{column.number}"] = "true"
            proposed[f"date-{column.number}"] = each.get("dateFormat", "")
            proposed |= {value.field: each["to"] for value in column.values if value.value == each.get("from")}
    return proposed
