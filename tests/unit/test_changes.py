"""A change of a record is told field by field, in the one shape that all lists and files of changes have."""

import msgspec
import pytest

from app.runs.changes.change import build_change, compare_records


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('{"a": 1}', '{"a": 1}', []),
        ('{"a": 1.10, "b": "x"}', '{"a": 1.10, "b": "y"}', [{"field": "b", "before": "x", "after": "y"}]),
        ('{"a": null}', "{}", [{"field": "a", "before": None}]),
        ("{}", '{"a": ""}', [{"field": "a", "after": ""}]),
        ('{"a": {"b": 1, "c": 2}}', '{"a": {"b": 1, "c": 3}}', [{"field": "a.c", "before": 2, "after": 3}]),
        ('{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 1}]}', [{"field": "a.1", "before": {"b": 2}}]),
        ('{"a": ["x", "y"]}', '{"a": ["y"]}', [{"field": "a", "before": ["x", "y"], "after": ["y"]}]),
        ('{"a": {}}', '{"a": {"b": 1}}', [{"field": "a", "before": {}, "after": {"b": 1}}]),
    ],
)
def test_fields_that_differ_are_told_before_and_after(before: str, after: str, told: list[object]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(compare_records(before, after))) == told


def test_a_number_keeps_its_digits() -> None:
    change = build_change("products", "p1", '{"price": 1.10}', '{"price": 123456789012345678.90}', row=4)
    assert msgspec.json.encode(change) == (
        b'{"type":"products","key":"p1","outcome":"updated","fields":'
        b'[{"field":"price","before":1.10,"after":123456789012345678.90}],"row":4}'
    )


def test_the_outcome_is_by_what_is_there() -> None:
    assert [build_change("contacts", "a", *pair).outcome for pair in ((None, "{}"), ("{}", "{}"), ("{}", None))] == [
        "created",
        "updated",
        "removed",
    ]
