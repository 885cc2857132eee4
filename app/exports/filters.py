"""Which records an export has: a filter as requests send it, checked by the types of its fields."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, get_args

from app.errors import Complaint, Refused, describe, join_choices
from app.resources.conversion import BadCell
from app.resources.field_types import compile_value, normalize_key
from app.resources.schema import Field, Resource
from app.runs.model import read_run_id
from app.storage.exports.selection import Comparison, Condition, Filter, Operator

MOST_KEYS: Final = 10_000
MOST_CONDITIONS: Final = 50
MOST_VALUES: Final = 1_000  # of one condition
OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
EQUALITY: Final[frozenset[Operator]] = frozenset({"=", "!=", "in", "isEmpty"})
# Member of a filter -> what it is called here.
FILTER_MEMBERS: Final = {"importId": "import_id", "keys": "keys", "fields": "fields", "where": "where"}
FILTER_TIMES: Final = {"updatedSince": "updated_since", "createdSince": "created_since"}
ANY: Final[frozenset[Operator]] = frozenset(OPERATORS)

# Type of field -> how its values are compared, and by which operators. All others are compared as text.
COMPARED: Final[Mapping[str, tuple[Comparison, frozenset[Operator]]]] = {
    "integer": ("number", ANY),
    "decimal": ("number", ANY),
    "boolean": ("text", EQUALITY),
    "datetime": ("moment", ANY),
    "list": ("items", EQUALITY),
    "object": ("text", frozenset({"isEmpty"})),
}


def read_filter(members: Mapping[str, Any]) -> dict[str, Any]:
    """The filter of a request that was checked, and may have been stored since, as `build_filter` takes it."""
    given = {ours: members[name] for name, ours in FILTER_MEMBERS.items() if members.get(name) is not None}
    times = {ours: members[name] for name, ours in FILTER_TIMES.items() if members.get(name) is not None}
    return given | {name: datetime.fromisoformat(time) for name, time in times.items()}


def build_filter(body: Mapping[str, Any], resource: Resource) -> Filter:
    """The filter of a request whose members have the right shapes. Raises one Refused("invalid") that names every
    mistake."""
    complaints: list[Complaint] = []
    conditions = [
        build_condition(each, f"filter.where[{index}]", resource, complaints)
        for index, each in enumerate(body.get("where") or ())
    ]
    fields = body.get("fields")
    for index, name in enumerate(fields or ()):
        if find_exported(name, resource) is None:
            complaints.append(lack(f"filter.fields[{index}]", name, resource))
    if complaints:
        raise Refused("invalid", describe(complaints[:10]), complaints)
    keys, import_id = body.get("keys"), body.get("import_id")
    return Filter(
        updated_since=body.get("updated_since"),
        created_since=body.get("created_since"),
        import_id=None if import_id is None else read_run_id(import_id),
        keys=None if keys is None else tuple(spell_keys(keys, resource)),
        fields=None if fields is None else tuple(dict.fromkeys(fields)),
        conditions=tuple(each for each in conditions if each is not None),
    )


def spell_keys(keys: Sequence[str], resource: Resource) -> list[str]:
    """The keys in each form in which they may be stored, by the fields that they may come from."""
    fields = [field for field in map(resource.field, resource.keys) if field is not None]
    return list(dict.fromkeys(normalize_key(field, key) for key in keys for field in fields))


def find_exported(name: str, resource: Resource) -> Field | None:
    """The field of that name. Where a type keeps unknown columns, any other name is one of those."""
    return resource.field(name) or (Field(name, "text") if resource.unknown_columns == "keep" else None)


def lack(path: str, name: str, resource: Resource) -> Complaint:
    return Complaint(path, f"`{path}` must be a field of `{resource.name}`, and `{name[:100]}` is none")


def build_condition(
    body: Mapping[str, Any], path: str, resource: Resource, complaints: list[Complaint]
) -> Condition | None:
    name, operator = body["field"], body["operator"]
    field = find_exported(name, resource)
    if field is None:
        complaints.append(lack(f"{path}.field", name, resource))
        return None
    comparison, operators = COMPARED.get(field.type, ("text", ANY))
    if operator not in operators:
        choices = join_choices(each for each in OPERATORS if each in operators)
        reason = f"`{path}.operator` must be {choices} for `{name}`, a field of type {field.type}"
        complaints.append(Complaint(f"{path}.operator", reason))
        return None
    values = read_values(body.get("value"), operator, field, path, complaints)
    is_key = resource.surrogate is not None and resource.surrogate.id == name
    return Condition(name, is_key, comparison, operator, tuple(values))


def read_values(value: object, operator: Operator, field: Field, path: str, complaints: list[Complaint]) -> list[str]:
    """The values as texts, as they are stored."""
    path = f"{path}.value"
    if operator == "isEmpty":
        if value is not None and not isinstance(value, bool):
            complaints.append(Complaint(path, f"`{path}` must be true or false"))
        return ["false" if value is False else "true"]
    given = value if operator == "in" else [value]
    if not isinstance(given, list) or not 0 < len(given) <= MOST_VALUES:
        complaints.append(Complaint(path, f"`{path}` must be a list of 1 to {MOST_VALUES:,} values"))
        return []
    single = Field(field.id, "text", max_length=field.max_length) if field.type == "list" else field
    convert = compile_value(single)
    values = []
    for each in given:
        if not isinstance(each, str | int | float | bool) or each == "":
            complaints.append(Complaint(path, f"`{path}` must be text, a number, true or false"))
            break
        converted = convert(Decimal(repr(each)) if isinstance(each, float) else each)
        if isinstance(converted, BadCell):
            complaints.append(Complaint(path, f"`{path}` does not fit `{field.id}`: {converted.message}"))
            break
        values.append(as_text(converted))
    return values


def as_text(converted: str) -> str:
    """JSON text as PostgreSQL's ->> gives it."""
    text: str = json.loads(converted) if converted.startswith('"') else converted
    return text
