"""Declared record types and custom fields: from the JSON of a request to a Resource and back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast, get_args

from app.errors import Complaint, Refused, describe, join_choices

# Imported as a module: the registry imports every module of this folder, and so this one while it is loading.
from app.resources import registry
from app.resources.declared_fields import complaint, field_to_json, find_unknown_members, is_type_name, read_fields
from app.resources.field_types import TYPES
from app.resources.schema import KEY_CHARACTERS, Field, Resource, UnknownColumns

MEMBERS = ("key", "generateKey", "fields", "unknownColumns")
KEY_TYPES = tuple(name for name, type_ in TYPES.items() if type_.may_be_key)
UNKNOWN_COLUMNS: tuple[UnknownColumns, ...] = get_args(UnknownColumns)

# Changes of type after which every stored value is valid for the new type too.
WIDENED = {("integer", "decimal")} | {
    (narrow, "text") for narrow in ("date", "datetime", "email", "phone", "url", "enum", "reference")
}


def parse_resource(name: str, body: object, *, stored: bool = False) -> Resource:
    """The type that the body of `PUT /types/{name}` declares. Raises one Refused that names every mistake. A `stored`
    declaration keeps its name, although a later release may have given it to a built-in type."""
    complaints = [] if stored else _check_name(name)
    if not isinstance(body, dict):
        raise _invalid([*complaints, Complaint("body", "The body must be an object with `key` and `fields`")])
    complaints += find_unknown_members(body, MEMBERS, "")
    fields = read_fields(body.get("fields"), complaints)
    key, generates_key = body.get("key"), body.get("generateKey", False)
    complaints += _check_key(key, fields, body.get("fields"))
    complaints += _check_generated(key, generates_key, fields)
    unknown = body.get("unknownColumns", "ignore")
    if unknown not in UNKNOWN_COLUMNS:
        complaints.append(complaint("unknownColumns", f"must be one of {join_choices(UNKNOWN_COLUMNS)}"))
    if complaints:
        raise _invalid(complaints)
    return Resource(
        name=name,
        keys=(str(key),),
        fields=tuple(
            replace(field, required=not generates_key if field.id == key else field.required) for field in fields
        ),
        unknown_columns=cast("UnknownColumns", unknown),
        generates_key=bool(generates_key),
    )


def resource_to_json(resource: Resource) -> dict[str, object]:
    """The JSON that declares a type. A built-in type with several keys lists them as `keys`, a nested one has its
    `families`."""
    several: dict[str, object] = {"keys": list(resource.keys)} if len(resource.keys) > 1 else {}
    families = [{"path": each.path, "type": each.field.type} for each in resource.families]
    return {
        "key": resource.keys[0],
        **several,
        **({"generateKey": True} if resource.generates_key else {}),
        "fields": [field_to_json(field) for field in resource.fields],
        **({"families": families} if families else {}),
        "unknownColumns": resource.unknown_columns,
    }


def add_custom_fields(base: Resource, fields_body: object) -> Resource:
    """`base` with an account's own fields: a list of fields, or an object with it as `fields`. Raises Refused."""
    complaints: list[Complaint] = []
    if isinstance(fields_body, dict):
        complaints += find_unknown_members(fields_body, ("fields",), "")
        fields_body = fields_body.get("fields")
    fields = read_fields(fields_body, complaints, others=base.fields)
    if complaints:
        raise _invalid(complaints)
    return replace(base, fields=base.fields + fields)


def find_contradictions(old: Resource, new: Resource) -> tuple[Complaint, ...]:
    """The changes that records stored under `old` may contradict. They do not matter while nothing is stored.

    A field that is gone is not one of them: its stored values stay, and are no longer read. Paths count the declared
    fields, without those of a built-in type."""
    return tuple(_find_contradictions(old, new))


def _find_contradictions(old: Resource, new: Resource) -> Iterator[Complaint]:
    if old.keys != new.keys:
        yield complaint("key", "must not change, because it identifies the stored records")
    built_in = registry.BUILT_IN.get(new.name)
    for index, field in enumerate(new.fields[len(built_in.fields) if built_in else 0 :]):
        path, before = f"fields[{index}]", old.field(field.id)
        # The key is stored in every record, also where it used to be generated.
        if field.required and (before is None or not before.required) and field.id not in old.keys:
            yield complaint(f"{path}.required", "cannot be set, because stored records may lack this field")
        if before is None:
            continue
        if _type_contradicts(before, field, new.keys):
            yield complaint(f"{path}.type", f"cannot change, because stored records have a value of type {before.type}")
        else:
            yield from _find_narrowed_limits(before, field, path)


def _type_contradicts(before: Field, after: Field, keys: Sequence[str]) -> bool:
    if before.type == after.type:
        return False
    # Keys are stored in the form of their type (an e-mail address in lower case).
    return before.id in keys or (before.type, after.type) not in WIDENED


def _find_narrowed_limits(before: Field, after: Field, path: str) -> Iterator[Complaint]:
    if after.min is not None and (before.min is None or after.min > before.min):
        yield complaint(f"{path}.min", "cannot be raised, because stored values may be below it")
    if after.max is not None and (before.max is None or after.max < before.max):
        yield complaint(f"{path}.max", "cannot be lowered, because stored values may be above it")
    if after.max_length is not None and (before.max_length is None or after.max_length < before.max_length):
        yield complaint(f"{path}.maxLength", "cannot be lowered, because stored values may be longer")
    if after.to and not before.to:
        yield complaint(f"{path}.to", "cannot be set, because stored records may have other values")
    elif after.to != before.to and after.to:
        yield complaint(f"{path}.to", f"cannot change, because stored records name records of type `{before.to}`")
    kept = frozenset(after.options)
    gone = [option for option in before.options if option not in kept]
    if after.options and gone:
        yield complaint(f"{path}.options", f"must keep {', '.join(gone[:10])}, because stored records may have them")
    elif after.options and not before.options:
        yield complaint(f"{path}.options", "cannot be added, because stored records may have other values")


def _check_name(name: str) -> list[Complaint]:
    if name in registry.BUILT_IN:
        return [complaint("name", "must not be that of a built-in type")]
    if not is_type_name(name):
        return [
            complaint(
                "name", "must begin with a letter a-z and have at most 63 characters: a-z, 0-9, hyphen, underscore"
            )
        ]
    return []


def _check_key(key: object, fields: Sequence[Field], body: object) -> list[Complaint]:
    if not isinstance(key, str):
        return [complaint("key", "must be the id of a declared field")]
    field = next((each for each in fields if each.id == key), None)
    if field is not None:
        if field.type in KEY_TYPES:
            return []
        return [complaint("key", f"must be a field of type {join_choices(KEY_TYPES)}")]
    # A field with mistakes of its own has been reported already.
    broken = isinstance(body, list) and any(isinstance(each, dict) and each.get("id") == key for each in body)
    return [] if broken else [complaint("key", "must be the id of a declared field")]


def _check_generated(key: object, generates_key: object, fields: Sequence[Field]) -> list[Complaint]:
    if not isinstance(generates_key, bool):
        return [complaint("generateKey", "must be true or false")]
    field = next((each for each in fields if each.id == key), None)
    if not generates_key or field is None:
        return []
    if field.type != "text":
        return [complaint("key", "must be a field of type text, because it is generated")]
    if field.max_length is not None and field.max_length < KEY_CHARACTERS:
        return [complaint("key", f"must have a `maxLength` of at least {KEY_CHARACTERS}, because it is generated")]
    return []


def _invalid(complaints: Sequence[Complaint]) -> Refused:
    return Refused("invalid", describe(complaints), complaints)
