"""Nested JSON flattened to paths, and back."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.resources.catalog import RESOURCE
from app.resources.paths import flatten, nest

LISTS = RESOURCE.lists


@pytest.mark.parametrize(
    ("object_", "flat"),
    [
        ({}, {}),
        ({"a": 1, "b": None}, {"a": 1, "b": None}),
        ({"a": {"b": {"c": 1}}, "d": [2, [3]]}, {"a.b.c": 1, "d.0": 2, "d.1.0": 3}),
        ({"a": {}, "b": [], "c": [{}]}, {"a": {}, "b": [], "c.0": {}}),
        ({"a.b": 1, "a": {"c": 2}}, {"a.b": 1, "a.c": 2}),
    ],
)
def test_an_object_is_flattened_to_its_paths(object_: dict[str, object], flat: dict[str, object]) -> None:
    assert flatten(object_) == flat


@pytest.mark.parametrize(
    ("object_", "code"),
    [
        ({"a.b": 1, "a": {"b": 2}}, "duplicate_member"),
        ({"a": {"b" * 254: 1}}, "path_too_long"),
        ({"a": list(range(2_001))}, "too_many_members"),
    ],
)
def test_an_object_that_cannot_be_flattened_is_refused(object_: dict[str, object], code: str) -> None:
    found = flatten(object_)
    assert isinstance(found, tuple)
    assert found[0] == code


def test_the_longest_path_and_the_most_members_pass() -> None:
    assert len(flatten({"a": {"b" * 253: 1}})) == 1
    assert len(flatten({"a": list(range(2_000))})) == 2_000


@pytest.mark.parametrize(
    ("flat", "object_"),
    [
        ({"images.1": "b"}, {"images": [None, "b"]}),
        ({"images.10": "k", "images.2": "c"}, {"images": [None, None, "c", *[None] * 7, "k"]}),
        ({"variants.1.sku": "b"}, {"variants": [None, {"sku": "b"}]}),
        ({"variants.0.attr.0": "b"}, {"variants": [{"attr": ["b"]}]}),
        ({"properties.a.1": "b"}, {"properties": {"a": {"1": "b"}}}),
        ({"properties.a.0": "b", "properties.a.1": 1}, {"properties": {"a": ["b", 1]}}),
        ({"properties.a.00": "b"}, {"properties": {"a": {"00": "b"}}}),
        ({"properties.a.9999999999": "b"}, {"properties": {"a": {"9999999999": "b"}}}),
        ({"properties.a": 1, "properties.a.b": 2}, {"properties": {"a": {"b": 2}}}),
        ({"properties.a.b": 2, "properties.a": 1}, {"properties": {"a": {"b": 2}}}),
    ],
)
def test_paths_become_an_object(flat: dict[str, object], object_: dict[str, object]) -> None:
    assert nest(flat, LISTS) == object_


names = st.text("abc", min_size=1, max_size=3)
leaves = st.none() | st.booleans() | st.text(max_size=3) | st.decimals(allow_nan=False, allow_infinity=False)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(names, inner, min_size=1, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(names, values, max_size=5))
def test_any_object_survives_being_flattened(object_: dict[str, Any]) -> None:
    flat = flatten({"properties": object_} if object_ else {})
    assert isinstance(flat, dict)
    assert nest(flat, LISTS).get("properties", {}) == object_


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("productID", "text"),
        ("sale.enabled", "boolean"),
        ("properties.a", "text"),
        ("properties.a.b.0", "text"),
        ("variants.0.sku", "text"),
        ("variants.999.qty", "decimal"),
        ("variants.3.attr.a.b", "text"),
        ("images.0", "text"),
        ("tags.12", "text"),
    ],
)
def test_a_field_is_found_by_its_path(path: str, type: str) -> None:
    field = RESOURCE.field(path)
    assert field is not None
    assert (field.id, field.type) == (path, type)


@pytest.mark.parametrize(
    "path",
    [
        "productid", "sale", "sale.x", "properties", "properties.", "variants", "variants.0", "variants.x.sku",
        "variants.00.sku", "variants.1000.sku", "variants.-1.sku", "variants.0.attr", "variants.0.name", "images",
        "images.0.1", "tags.1e1", "tags.١", "xtags.0",
    ],
)  # fmt: skip
def test_other_paths_are_not_fields(path: str) -> None:
    assert RESOURCE.field(path) is None


@pytest.mark.parametrize("path", ["sale", "properties", "variants", "variants.5", "variants.0.attr", "images", "tags"])
def test_a_path_above_fields_is_an_outer_path(path: str) -> None:
    assert RESOURCE.outer.fullmatch(path)


@pytest.mark.parametrize("path", ["productID", "tags.0", "variants.0.sku", "colour", "variants.x", ""])
def test_any_other_path_is_not_an_outer_path(path: str) -> None:
    assert not RESOURCE.outer.fullmatch(path)


def test_a_decimal_keeps_its_digits() -> None:
    assert flatten({"a": {"b": Decimal("1.50")}}) == {"a.b": Decimal("1.50")}
