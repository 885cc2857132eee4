"""An account's own types: every mistake is named at once, what is declared comes back, changes are told apart."""

import json
from decimal import Decimal

import pytest

from app.errors import Refused
from app.resources.declare import add_custom_fields, find_contradictions, parse_resource, resource_to_json
from app.resources.declared_fields import field_to_json
from app.resources.field_types import compile_cell
from app.resources.registry import BUILT_IN
from app.resources.schema import Field, Resource

STORES = {
    "key": "code",
    "unknownColumns": "error",
    "fields": [
        {"id": "code", "type": "text", "required": True, "maxLength": 20},
        {"id": "size", "type": "integer", "label": "Fläche (m²)", "min": 0, "max": 100000},
        {"id": "rate", "type": "decimal", "min": -0.5},
        {"id": "kind", "type": "enum", "options": ["shop", "depot"]},
        {"id": "tags", "type": "list", "options": ["a", "b"], "separator": ";"},
        {"id": "open_at[0]", "type": "datetime"},
        {"id": "head", "type": "reference", "to": "stores"},
        {"id": "brands", "type": "list", "separator": ";", "to": "brands"},
    ],
}


def complaints(name: str, body: object) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        parse_resource(name, body)
    assert refused.value.code == "invalid"
    return {complaint.path: complaint.reason for complaint in refused.value.complaints}


def with_field(**members: object) -> dict[str, object]:
    return {"key": "code", "fields": [{"id": "code", "type": "text"}, {"id": "x", "type": "text", **members}]}


def a_type(*fields: dict[str, object], key: str = "code") -> Resource:
    return parse_resource("stores", {"key": key, "fields": [{"id": "code", "type": "text"}, *fields]})


def test_a_declaration_becomes_a_type() -> None:
    stores = parse_resource("stores", STORES)

    assert stores.name == "stores"
    assert stores.keys == ("code",)
    assert stores.unknown_columns == "error"
    assert stores.field("rate") == Field("rate", "decimal", min=Decimal("-0.5"))
    assert stores.field("tags") == Field("tags", "list", options=("a", "b"), separator=";")


def test_what_was_declared_comes_back_as_it_was() -> None:
    assert resource_to_json(parse_resource("stores", STORES)) == STORES


def test_a_declaration_survives_the_way_through_json() -> None:
    stores = parse_resource("stores", STORES)

    for read in (json.loads, lambda text: json.loads(text, parse_float=Decimal, parse_int=Decimal)):
        assert parse_resource("stores", read(json.dumps(resource_to_json(stores)))) == stores


def test_a_key_is_required_without_saying_so() -> None:
    code = a_type().field("code")

    assert code is not None
    assert code.required


@pytest.mark.parametrize(
    ("code", "generate_key", "path"),
    [
        ({"type": "integer"}, True, "key"),
        ({"type": "text", "maxLength": 23}, True, "key"),
        ({"type": "text"}, "yes", "generateKey"),
        ({"type": "text"}, None, "generateKey"),
    ],
)
def test_a_key_that_cannot_be_generated_is_named(code: dict[str, object], generate_key: object, path: str) -> None:
    body = {"key": "code", "generateKey": generate_key, "fields": [{"id": "code", **code}]}
    assert list(complaints("stores", body)) == [path]


def test_a_key_that_is_generated_is_not_required_and_is_told() -> None:
    body = {
        "key": "code",
        "generateKey": True,
        "fields": [{"id": "code", "type": "text", "maxLength": 24}],
        "unknownColumns": "ignore",
    }
    stores = parse_resource("stores", body)
    asked = parse_resource("stores", body | {"fields": [{"id": "code", "type": "text", "required": True}]})

    assert resource_to_json(stores) == body
    assert asked.field("code") == Field("code", "text")


def test_every_mistake_is_named_in_one_answer() -> None:
    found = complaints(
        "Stores",
        {
            "key": "missing",
            "fields": [{"id": "1x", "type": "strong"}, {"type": "text", "colour": 1}, 7, {"id": "n", "type": "enum"}],
            "unknownColumns": "drop",
            "extra": 1,
        },
    )

    assert set(found) == {
        "name",
        "key",
        "unknownColumns",
        "extra",
        "fields[0].id",
        "fields[0].type",
        "fields[1].id",
        "fields[1].colour",
        "fields[2]",
        "fields[3].options",
    }


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"id": "id"}, "id"),
        ({"id": "code"}, "id"),
        ({"id": "a.b"}, "id"),
        ({"id": "_x"}, "id"),
        ({"id": "x" * 151}, "id"),
        ({"id": "x\n"}, "id"),
        ({"type": ["text"]}, "type"),
        ({"label": ""}, "label"),
        ({"label": 1}, "label"),
        ({"label": " Name"}, "label"),
        ({"label": "a\u00a0b"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"label": "x" * 151}, "label"),
        ({"label": "CODE"}, "label"),
        ({"required": "yes"}, "required"),
        ({"min": 1}, "min"),
        ({"options": ["a"]}, "options"),
        ({"separator": ";"}, "separator"),
        ({"maxLength": 0}, "maxLength"),
        ({"maxLength": 1.5}, "maxLength"),
        ({"maxLength": True}, "maxLength"),
        ({"maxLength": Decimal("1E+999999")}, "maxLength"),
        ({"type": "integer", "maxLength": 5}, "maxLength"),
        ({"type": "integer", "min": 5, "max": 4}, "min"),
        ({"type": "integer", "min": "5"}, "min"),
        ({"type": "integer", "min": True}, "min"),
        ({"type": "decimal", "max": float("inf")}, "max"),
        ({"type": "decimal", "max": float("nan")}, "max"),
        ({"type": "decimal", "max": 10**5_000}, "max"),
        ({"type": "decimal", "max": Decimal("1E+999999")}, "max"),
        ({"type": "decimal", "max": Decimal("1." + "0" * 40 + "1")}, "max"),
        ({"type": "enum", "options": []}, "options"),
        ({"type": "enum", "options": ["a", "a"]}, "options"),
        ({"type": "enum", "options": ["a", ""]}, "options"),
        ({"type": "enum", "options": [" a"]}, "options"),
        ({"type": "enum", "options": ["\0"]}, "options"),
        ({"type": "enum", "options": ["\ud800"]}, "options"),
        ({"type": "enum", "options": [1]}, "options"),
        ({"type": "enum", "options": "ab"}, "options"),
        ({"type": "list", "separator": ""}, "separator"),
        ({"type": "list", "options": ["a|b"]}, "options"),
        ({"type": "list", "options": ["a"], "to": "stores"}, "options"),
        ({"type": "list", "maxLength": 9, "to": "stores"}, "maxLength"),
        ({"type": "list", "to": "Stores"}, "to"),
        ({"type": "reference"}, "to"),
        ({"type": "reference", "to": 1}, "to"),
        ({"type": "reference", "to": "\ud800"}, "to"),
        ({"type": "reference", "to": "stores", "maxLength": 9}, "maxLength"),
        ({"to": "stores"}, "to"),
    ],
)
def test_a_mistake_in_a_field_is_named_by_its_path(members: dict[str, object], path: str) -> None:
    assert set(complaints("stores", with_field(**members))) == {f"fields[1].{path}"}


@pytest.mark.parametrize("name", ["contacts", "products", "coupons", "", "Stores", "1x", "a" * 64, "a/b", "stores\n"])
def test_a_name_that_is_taken_or_odd_is_refused(name: str) -> None:
    assert set(complaints(name, STORES)) == {"name"}


@pytest.mark.parametrize("key", [None, 1, "missing", ["code"], "size_"])
def test_a_key_must_be_a_declared_field(key: object) -> None:
    assert set(complaints("stores", STORES | {"key": key})) == {"key"}


@pytest.mark.parametrize("type_", ["decimal", "boolean", "date", "datetime", "url", "list", "object"])
def test_a_key_must_be_of_a_type_that_can_be_one(type_: str) -> None:
    assert set(complaints("stores", {"key": "x", "fields": [{"id": "x", "type": type_}]})) == {"key"}


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert set(complaints("stores", body)) == {"body"}


@pytest.mark.parametrize("fields", [None, {}, "x", [{"id": f"f{n}", "type": "text"} for n in range(2_001)]])
def test_fields_must_be_a_list_of_at_most_2_000(fields: object) -> None:
    assert "fields" in complaints("stores", {"key": "code", "fields": fields})


def test_a_label_belongs_to_one_field() -> None:
    first, *others = (
        {"id": f"f{number}", "type": "text", "label": label}
        for number, label in enumerate(("Gr\u00f6\u00dfe  a", "gro\u0308sse A", "F0", "f3", "code"))
    )
    body = {"key": "code", "fields": [{"id": "code", "type": "text", "label": "Code"}, first, *others]}
    assert complaints("stores", body) == {
        "fields[2].label": "`fields[2].label` is already the label of another field",
        "fields[3].label": "`fields[3].label` is already the id of another field",
        "fields[5].label": "`fields[5].label` is already the id of another field",
    }


def test_a_custom_field_cannot_take_the_label_of_another() -> None:
    with pytest.raises(Refused) as refused:
        add_custom_fields(BUILT_IN["contacts"], [{"id": "mail", "type": "text", "label": "email"}])
    assert [complaint.path for complaint in refused.value.complaints] == ["fields[0].label"]


def test_a_path_in_a_complaint_can_always_be_encoded() -> None:
    for path in complaints("stores", STORES | {"\ud800": 1}):
        path.encode()


def test_contacts_take_custom_fields_and_give_them_back() -> None:
    contacts = BUILT_IN["contacts"]
    wanted: dict[str, object] = {"fields": [{"id": "shoe_size", "type": "integer", "min": 20}]}

    more = add_custom_fields(contacts, wanted)

    assert more.fields[: len(contacts.fields)] == contacts.fields
    assert more.field("shoe_size") == Field("shoe_size", "integer", min=Decimal(20))
    added = more.fields[len(contacts.fields) :]
    assert {"fields": [field_to_json(field) for field in added]} == wanted
    assert add_custom_fields(contacts, wanted["fields"]) == more


@pytest.mark.parametrize("id_", ["_email", "_points", "id", "_new"])
def test_a_custom_field_cannot_take_a_system_name(id_: str) -> None:
    with pytest.raises(Refused) as refused:
        add_custom_fields(BUILT_IN["contacts"], [{"id": id_, "type": "text"}])
    assert [complaint.path for complaint in refused.value.complaints] == ["fields[0].id"]


BEFORE = a_type(
    {"id": "size", "type": "integer", "min": 0, "max": 10},
    {"id": "name", "type": "text", "maxLength": 10},
    {"id": "kind", "type": "enum", "options": ["a", "b"]},
    {"id": "tags", "type": "list"},
    {"id": "head", "type": "reference", "to": "stores"},
    {"id": "brands", "type": "list", "to": "brands"},
)


def changed(index: int, **members: object) -> Resource:
    body = json.loads(json.dumps(resource_to_json(BEFORE)))
    body["fields"][index] = {
        name: value for name, value in (body["fields"][index] | members).items() if value is not None
    }
    return parse_resource("stores", body)


@pytest.mark.parametrize(
    ("after", "paths"),
    [
        (changed(1, type="text", min=None, max=None), ["fields[1].type"]),
        (changed(1, min=1), ["fields[1].min"]),
        (changed(1, max=9), ["fields[1].max"]),
        (changed(2, maxLength=9), ["fields[2].maxLength"]),
        (changed(2, required=True), ["fields[2].required"]),
        (changed(3, options=["a"]), ["fields[3].options"]),
        (changed(4, options=["a"]), ["fields[4].options"]),
        (changed(4, to="stores"), ["fields[4].to"]),
        (changed(5, to="brands"), ["fields[5].to"]),
        (changed(6, to="stores"), ["fields[6].to"]),
        (changed(2, type="reference", maxLength=None, to="stores"), ["fields[2].type"]),
        (changed(0, type="email"), ["fields[0].type"]),
        (a_type({"id": "new", "type": "text", "required": True}), ["fields[1].required"]),
        (a_type({"id": "other", "type": "text"}, key="other"), ["key", "fields[1].required"]),
    ],
)
def test_a_change_that_stored_records_may_contradict_is_named(after: Resource, paths: list[str]) -> None:
    assert [complaint.path for complaint in find_contradictions(BEFORE, after)] == paths


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        changed(1, min=-1, max=None),
        changed(1, type="decimal"),
        changed(2, maxLength=11),
        changed(3, options=["b", "a", "c"]),
        changed(3, type="text", options=None),
        changed(5, type="text", to=None),
        changed(6, to=None),
        a_type({"id": "new", "type": "date"}),
    ],
)
def test_a_change_that_only_widens_contradicts_nothing(after: Resource) -> None:
    assert find_contradictions(BEFORE, after) == ()


@pytest.mark.parametrize("now", [True, False])
def test_whether_a_key_is_generated_may_change(now: bool) -> None:
    body = {"key": "code", "fields": [{"id": "code", "type": "text"}]}
    old, new = (parse_resource("stores", body | {"generateKey": each}) for each in (not now, now))
    assert find_contradictions(old, new) == ()


def test_a_key_keeps_its_type_although_another_field_could_widen() -> None:
    old, new = (
        parse_resource("people", {"key": "x", "fields": [{"id": "x", "type": type_}]}) for type_ in ("email", "text")
    )

    assert [complaint.path for complaint in find_contradictions(old, new)] == ["fields[0].type"]


def test_paths_of_custom_fields_count_the_custom_fields() -> None:
    contacts = BUILT_IN["contacts"]
    old = add_custom_fields(contacts, [{"id": "shoe", "type": "integer"}])
    new = add_custom_fields(contacts, [{"id": "shoe", "type": "boolean"}])

    assert [complaint.path for complaint in find_contradictions(old, new)] == ["fields[0].type"]


def test_declared_limits_reach_the_cells() -> None:
    size = BEFORE.field("size")

    assert size is not None
    assert compile_cell(size)("10") == "10"
    assert compile_cell(size)("11") != "11"
