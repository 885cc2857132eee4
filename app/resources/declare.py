"""An account's own record types and custom fields: from the JSON of a request to a Resource and back."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast, get_args

from app.errors import Complaint, Refused

# As a module: the registry looks into every module of this folder, and so into this one while it is being loaded.
from app.resources import registry
from app.resources.cells import TYPES
from app.resources.declared_fields import complain_of_unknown, field_to_json, read_fields
from app.resources.schema import Field, Resource, UnknownColumns

MEMBERS = ("key", "fields", "unknownColumns")
KEY_TYPES = tuple(name for name, type_ in TYPES.items() if type_.may_be_key)
UNKNOWN_COLUMNS: tuple[UnknownColumns, ...] = get_args(UnknownColumns)

# Changes of type after which every stored value is one of the new type too.
WIDENED = {("integer", "decimal")} | {
    (narrow, "text") for narrow in ("date", "datetime", "email", "phone", "url", "enum")
}

_type_name = re.compile(r"[a-z][a-z0-9_-]{0,62}").fullmatch


def parse_resource(name: str, body: object) -> Resource:
    """The type that the body of `PUT /types/{name}` declares; raises one Refused that names every mistake."""
    complaints = _name_complaints(name)
    if not isinstance(body, dict):
        raise _invalid([*complaints, Complaint("body", "must be an object with key and fields")])
    complaints += complain_of_unknown(body, MEMBERS, "")
    fields = read_fields(body.get("fields"), complaints)
    key = body.get("key")
    complaints += _key_complaints(key, fields, body.get("fields"))
    unknown = body.get("unknownColumns", "ignore")
    if unknown not in UNKNOWN_COLUMNS:
        complaints.append(Complaint("unknownColumns", f"must be one of {', '.join(UNKNOWN_COLUMNS)}"))
    if complaints:
        raise _invalid(complaints)
    return Resource(
        name=name,
        keys=(str(key),),
        fields=tuple(replace(field, required=field.required or field.id == key) for field in fields),
        unknown_columns=cast("UnknownColumns", unknown),
    )


def resource_to_json(resource: Resource) -> dict[str, object]:
    """The JSON that declares this type; a built-in one with several keys names them all as `keys`, a nested one its
    families."""
    several: dict[str, object] = {"keys": list(resource.keys)} if len(resource.keys) > 1 else {}
    families = [{"path": each.path, "type": each.field.type} for each in resource.families]
    return {
        "key": resource.keys[0],
        **several,
        "fields": [field_to_json(field) for field in resource.fields],
        **({"families": families} if families else {}),
        "unknownColumns": resource.unknown_columns,
    }


def add_custom_fields(base: Resource, fields_body: object) -> Resource:
    """`base` and an account's own fields: a list of fields, or an object that holds it as `fields`. Raises Refused."""
    complaints: list[Complaint] = []
    if isinstance(fields_body, dict):
        complaints += complain_of_unknown(fields_body, ("fields",), "")
        fields_body = fields_body.get("fields")
    fields = read_fields(fields_body, complaints, taken=[field.id for field in base.fields])
    if complaints:
        raise _invalid(complaints)
    return replace(base, fields=base.fields + fields)


def find_contradictions(old: Resource, new: Resource) -> tuple[Complaint, ...]:
    """The changes that records stored under `old` may contradict; none of them matters while nothing is stored.
    A field that is gone is none: what is stored of it stays, and is no longer read. Paths count the declared fields."""
    return tuple(_find_contradictions(old, new))


def _find_contradictions(old: Resource, new: Resource) -> Iterator[Complaint]:
    if old.keys != new.keys:
        yield Complaint("key", "is another field than that by which the stored records are known")
    built_in = registry.BUILT_IN.get(new.name)
    for index, field in enumerate(new.fields[len(built_in.fields) if built_in else 0 :]):
        path, before = f"fields[{index}]", old.field(field.id)
        if field.required and (before is None or not before.required):
            yield Complaint(f"{path}.required", "stored records may lack this field")
        if before is None:
            continue
        if _type_contradicts(before, field, new.keys):
            yield Complaint(f"{path}.type", f"stored records hold {before.type} here")
        else:
            yield from _narrowed(before, field, path)


def _type_contradicts(before: Field, after: Field, keys: Sequence[str]) -> bool:
    if before.type == after.type:
        return False
    # Stored keys were compared after the rules of their type (an e-mail address lower-cased).
    return before.id in keys or (before.type, after.type) not in WIDENED


def _narrowed(before: Field, after: Field, path: str) -> Iterator[Complaint]:
    if after.min is not None and (before.min is None or after.min > before.min):
        yield Complaint(f"{path}.min", "stored values may be below it")
    if after.max is not None and (before.max is None or after.max < before.max):
        yield Complaint(f"{path}.max", "stored values may be above it")
    if after.max_length is not None and (before.max_length is None or after.max_length < before.max_length):
        yield Complaint(f"{path}.maxLength", "stored values may be longer")
    gone = [option for option in before.options if option not in after.options]
    if after.options and gone:
        yield Complaint(f"{path}.options", f"stored values may be one of {', '.join(gone[:10])}")
    elif after.options and not before.options:
        yield Complaint(f"{path}.options", "stored values may be none of them")


def _name_complaints(name: str) -> list[Complaint]:
    if name in registry.BUILT_IN:
        return [Complaint("name", "is the name of a built-in type, which cannot be declared anew")]
    if not _type_name(name):
        return [Complaint("name", "must begin with a-z and hold a-z, 0-9, hyphens and underscores, at most 63 in all")]
    return []


def _key_complaints(key: object, fields: Sequence[Field], body: object) -> list[Complaint]:
    if not isinstance(key, str):
        return [Complaint("key", "must be the id of a declared field")]
    field = next((each for each in fields if each.id == key), None)
    if field is not None:
        fits = field.type in KEY_TYPES
        return [] if fits else [Complaint("key", f"must be a field of type {', '.join(KEY_TYPES)}")]
    # A field with mistakes of its own has been named already.
    broken = isinstance(body, list) and any(isinstance(each, dict) and each.get("id") == key for each in body)
    return [] if broken else [Complaint("key", "must be the id of a declared field")]


def _invalid(complaints: Sequence[Complaint]) -> Refused:
    mistakes = "one mistake" if len(complaints) == 1 else f"{len(complaints)} mistakes"
    return Refused("invalid", f"The declaration has {mistakes}", complaints)
