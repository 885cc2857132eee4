"""The built-in types say what the vendor's documents say, and their sample files import."""

import csv
import io

import pytest

from app.resources.declare import parse_resource, resource_to_json
from app.resources.declared_fields import find_doubles
from app.resources.field_types import TYPES, BadCell, compile_cell, normalize_key
from app.resources.registry import BUILT_IN
from app.resources.sample import sample_csv
from app.resources.schema import Resource

EVERY_TYPE = parse_resource(
    "things",
    {
        "key": "code",
        "fields": [
            {"id": "code", "type": "text"},
            *[{"id": f"a_{name}", "type": name} for name in TYPES if name not in ("enum", "reference")],
            {"id": "a_reference", "type": "reference", "to": "things"},
            {"id": "an_enum", "type": "enum", "options": ["b", "a"]},
        ],
    },
)
NARROW = parse_resource(
    "things",
    {
        "key": "n",
        "fields": [
            {"id": "n", "type": "integer", "min": -1.5, "max": 40},
            {"id": "top", "type": "integer", "max": -7},
            {"id": "one", "type": "integer", "min": 5, "max": 5},
            {"id": "share", "type": "decimal", "min": 0.1, "max": 0.2},
            {"id": "debt", "type": "decimal", "max": -1},
            {"id": "gain", "type": "decimal", "min": 100},
            {"id": "letter", "type": "text", "maxLength": 1},
            {"id": "mail", "type": "email", "maxLength": 6},
            {"id": "call", "type": "phone", "maxLength": 5},
            {"id": "site", "type": "url", "maxLength": 8},
            {"id": "tags", "type": "list", "options": ["x", "y"], "separator": " / "},
        ],
    },
)


def test_the_registry_finds_the_built_in_types() -> None:
    assert set(BUILT_IN) == {
        *("contacts", "products", "coupons", "customers", "catalog", "shop-products", "tags"),
        *("items", "price-lists", "item-prices", "item-classes", "item-class-values", "item-images"),
    }


@pytest.mark.parametrize("resource", BUILT_IN.values(), ids=lambda resource: resource.name)
def test_a_built_in_type_is_consistent(resource: Resource) -> None:
    ids = [field.id for field in resource.fields]

    assert len(set(ids)) == len(ids)
    assert all(field.label for field in resource.fields)
    assert not list(find_doubles(dict(enumerate(resource.fields)), ()))
    assert set(resource.keys) <= set(ids)
    assert {field.type for field in resource.fields} <= set(TYPES)
    assert all(field.options for field in resource.fields if field.type == "enum")
    assert resource.fixed is None or resource.fixed in ids


@pytest.mark.parametrize("resource", [*BUILT_IN.values(), EVERY_TYPE, NARROW], ids=lambda resource: resource.name)
def test_a_sample_file_imports_without_an_error(resource: Resource) -> None:
    header, *rows = csv.reader(io.StringIO(sample_csv(resource)))

    assert header == [field.id for field in resource.fields if not field.read_only and field.id != resource.made_field]
    assert len(rows) == 3
    for row in rows:
        for id_, cell in zip(header, row, strict=True):
            field = resource.field(id_)
            assert field is not None
            if field.to and not field.samples:  # which records there are only the account knows
                assert not cell
                continue
            assert cell or "" in field.samples, f"{id_} is empty"
            assert not cell or not isinstance(compile_cell(field)(cell), BadCell), f"{id_}: {cell}"


@pytest.mark.parametrize("resource", [*BUILT_IN.values(), EVERY_TYPE, NARROW], ids=lambda resource: resource.name)
def test_the_rows_of_a_sample_file_are_three_records(resource: Resource) -> None:
    field = resource.field(resource.keys[0])

    assert field is not None
    rows = list(csv.DictReader(io.StringIO(sample_csv(resource))))
    assert len(rows) == 3
    if not resource.generates_key:
        assert len({normalize_key(field, row[field.id]) for row in rows}) == 3


def test_contacts_are_known_by_email_or_external_id() -> None:
    contacts = BUILT_IN["contacts"]

    assert contacts.keys == ("_email", "_externalId")
    assert resource_to_json(contacts)["keys"] == ["_email", "_externalId"]
    assert not any(field.required for field in contacts.fields)
    points = contacts.field("_points")
    assert points is not None
    assert compile_cell(points)("0") == "0"
    assert isinstance(compile_cell(points)("-1"), BadCell)


def test_a_product_needs_four_fields() -> None:
    required = {field.id for field in BUILT_IN["products"].fields if field.required}

    assert required == {"productDetailUrl", "productId", "name", "unitPrice"}


def test_a_coupon_file_has_one_column() -> None:
    assert sample_csv(BUILT_IN["coupons"]).splitlines()[0] == "code"
    assert BUILT_IN["coupons"].fixed == "couponSetId"
