"""Records put into columns hold what they hold one by one."""

from decimal import Decimal

import pytest

from app.imports.checking.cells import ABSENT
from app.imports.checking.path_columns import build_path_columns, find_unfit_rows
from app.resources.paths import flatten

RECORDS: list[dict[str, object]] = [
    {"a": 1, "b": {"c": "x", "d": [1, 2]}},
    {"a": 2, "b": {"c": "y", "d": [3, 4]}},
    {"b": {"d": [5], "c": ""}, "a": None},
    {"a": {}, "b": [], "e": [[True], {"f": Decimal("1.50")}]},
    {},
    {"a": [{}, [], None], "b": "plain"},
]


def test_columns_hold_what_the_records_hold() -> None:
    columns = build_path_columns(RECORDS)
    rows: list[dict[str, object]] = [{} for _ in RECORDS]
    for path in columns.parts:
        for row, value in zip(rows, columns.column(path).values, strict=True):
            if value is not ABSENT:
                row[path] = value
    assert rows == [flatten(record) for record in RECORDS]
    assert not columns.suspect


@pytest.mark.parametrize(
    "record",
    [
        {"a.b": 1, "a": {"b": 2}},
        {"a": {"b.c": 1, "b": {"c": 2}}},
        {"a": {"x" * 255: 1}},
        {"a": {str(number): 1 for number in range(2_001)}},
    ],
)
def test_a_record_with_clashing_long_or_too_many_paths_is_refused(record: dict[str, object]) -> None:
    records = [{"a": {"b": 1}}, record, {"a.b": 1}]
    assert find_unfit_rows(build_path_columns(records), records) == {1: flatten(record)}
