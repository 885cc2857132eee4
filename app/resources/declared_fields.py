"""The fields of a declared type: read from JSON with every mistake named, and written back as JSON."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.errors import Complaint, join_choices
from app.resources.canonical import to_nfc
from app.resources.field_types import TYPES
from app.resources.schema import Field

MOST_FIELDS = 2_000  # as many as a file may have columns
MOST_OPTIONS = 1_000
LONGEST_OPTION = 255
LONGEST_LABEL = 150
LONGEST_SEPARATOR = 5
LONGEST_TEXT = 1_000_000_000  # far beyond any cell
DIGITS = 15  # of a bound: as many as survive JSON readers that know only floating point
LARGEST = 30  # power of ten


class _Mistake(Exception):
    """A member of a field is not valid. The text goes on from its name: "must be …"."""


is_type_name = re.compile(r"[a-z][a-z0-9_-]{0,62}").fullmatch
_is_id = re.compile(r"[A-Za-z][A-Za-z0-9_\-()\[\]]{0,149}").fullmatch


def read_fields(body: object, complaints: list[Complaint], *, others: Sequence[Field] = ()) -> tuple[Field, ...]:
    """The fields that are valid. What is wrong with them is added to `complaints`. `others` are fields that the type
    has already."""
    if not isinstance(body, list):
        complaints.append(complaint("fields", "must be a list of fields"))
        return ()
    if len(body) > MOST_FIELDS:
        complaints.append(complaint("fields", f"must have at most {MOST_FIELDS:,} fields"))
        return ()
    found = {index: field for index, each in enumerate(body) if (field := _read_field(each, index, complaints))}
    complaints += find_doubles(found, others)
    return tuple(found.values())


def field_to_json(field: Field) -> dict[str, object]:
    """A field as it is declared, without the members that are not set."""
    written: dict[str, object] = {"id": field.id, "type": field.type}
    if field.label:
        written["label"] = field.label
    if field.required:
        written["required"] = True
    if field.options:
        written["options"] = list(field.options)
    for name, bound in (("min", field.min), ("max", field.max)):
        if bound is not None:
            written[name] = int(bound) if bound == bound.to_integral_value() else float(bound)
    if field.max_length is not None:
        written["maxLength"] = field.max_length
    if "separator" in TYPES[field.type].limits:
        written["separator"] = field.separator
    if field.to:
        written["to"] = field.to
    if field.read_only:
        written["readOnly"] = True
    return written


def complaint(path: str, requirement: str) -> Complaint:
    return Complaint(path, f"`{path}` {requirement}")


def find_unknown_members(body: dict[str, object], known: Collection[str], prefix: str) -> list[Complaint]:
    owner = "a field" if prefix else "a declaration"
    problem = f"is not a member of {owner}. Use {join_choices(known)}"
    return [
        # Whatever the name contains, the answer that repeats it must be encodable.
        complaint(prefix + name[:50].encode("utf-8", "replace").decode(), problem)
        for name in body
        if name not in known
    ]


def _read_field(body: object, index: int, complaints: list[Complaint]) -> Field | None:
    path = f"fields[{index}]"
    if not isinstance(body, dict):
        complaints.append(complaint(path, "must be an object with `id` and `type`"))
        return None
    mistakes = find_unknown_members(body, _MEMBERS, f"{path}.")
    values: dict[str, Any] = {}
    for name, (attribute, parse) in _MEMBERS.items():
        value = body.get(name)
        if value is None:
            if name in ("id", "type"):
                mistakes.append(complaint(f"{path}.{name}", "is required"))
            continue
        try:
            values[attribute] = parse(value)
        except _Mistake as mistake:
            mistakes.append(complaint(f"{path}.{name}", str(mistake)))
    if "type" in values:
        mistakes += _find_conflicts(values, body, path)
    complaints += mistakes
    return None if mistakes else Field(**values)


def find_doubles(fields: Mapping[int, Field], others: Sequence[Field]) -> Iterator[Complaint]:
    """Ids and labels that would call two fields the same. Labels are compared as headings are: without regard to case
    and white space."""
    ids = {each.id for each in others}
    for index, field in fields.items():
        if field.id in ids:
            yield complaint(f"fields[{index}].id", "is already the id of another field")
        ids.add(field.id)
    owners = {_reduce(each.id): each.id for each in (*fields.values(), *others)}
    labels = {_reduce(each.label) for each in others}
    for index, field in fields.items():
        label = _reduce(field.label)
        if label and owners.get(label, field.id) != field.id:
            yield complaint(f"fields[{index}].label", "is already the id of another field")
        elif label and label in labels:
            yield complaint(f"fields[{index}].label", "is already the label of another field")
        labels.add(label)


def _reduce(heading: str) -> str:
    return " ".join(to_nfc(heading).casefold().split())


def _find_conflicts(values: dict[str, Any], body: dict[str, object], path: str) -> list[Complaint]:
    """Mistakes of members that are valid by themselves, but not together."""
    type_ = values["type"]
    mistakes = [
        complaint(f"{path}.{name}", f"is not allowed for a field of type {type_}")
        for name, (attribute, _) in _MEMBERS.items()
        if attribute in values and attribute in _LIMITS and attribute not in TYPES[type_].limits
    ]
    if type_ == "enum" and body.get("options") is None:
        mistakes.append(complaint(f"{path}.options", "is required for a field of type enum"))
    if type_ == "reference" and body.get("to") is None:
        mistakes.append(complaint(f"{path}.to", "is required for a field of type reference"))
    if type_ == "list" and "to" in values:
        limited = (name for name in ("options", "maxLength") if body.get(name) is not None)
        mistakes += [complaint(f"{path}.{name}", f"is not allowed together with `{path}.to`") for name in limited]
    if "min" in values and "max" in values and values["min"] > values["max"]:
        mistakes.append(complaint(f"{path}.min", f"must not be greater than `{path}.max`"))
    separator = values.get("separator", "|")
    if type_ == "list" and any(separator in option for option in values.get("options", ())):
        mistakes.append(complaint(f"{path}.options", "must not contain the separator"))
    return mistakes


def _parse_id(value: object) -> str:
    if not isinstance(value, str) or not _is_id(value):
        raise _Mistake(
            "must begin with a letter and contain only letters, digits, hyphens, underscores and brackets, "
            "at most 150 characters"
        )
    if value == "id":
        raise _Mistake("must not be `id`, which is reserved")
    return value


def _parse_label(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_LABEL or not _is_printed(value):
        raise _Mistake(f"must be 1 to {LONGEST_LABEL} printable characters, without surrounding spaces")
    return value


def _parse_type(value: object) -> str:
    if not isinstance(value, str) or value not in TYPES:
        raise _Mistake(f"must be one of {join_choices(TYPES)}")
    return value


def _parse_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Mistake("must be true or false")
    return value


def _parse_options(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_OPTIONS:
        raise _Mistake(f"must be a list of 1 to {MOST_OPTIONS:,} strings")
    if not all(isinstance(option, str) and len(option) <= LONGEST_OPTION and _is_printed(option) for option in value):
        raise _Mistake(f"must be strings of 1 to {LONGEST_OPTION:,} printable characters, without surrounding spaces")
    if len(set(value)) != len(value):
        raise _Mistake("must not contain an option twice")
    return tuple(value)


def _is_printed(text: str) -> bool:
    return text != "" and text == text.strip() and text.isprintable()


def _parse_number(value: object) -> Decimal:
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise _Mistake("must be a number")
    number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    if not number.is_finite() or number.adjusted() > LARGEST:
        raise _Mistake(f"must be a number below 1e{LARGEST + 1}")
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > DIGITS or number.adjusted() < -DIGITS:
        raise _Mistake(f"must have at most {DIGITS} digits")
    return number


def _parse_length(value: object) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= LARGEST and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LONGEST_TEXT:
        raise _Mistake(f"must be a whole number from 1 to {LONGEST_TEXT:,}")
    return value


def _parse_separator(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_SEPARATOR or not value.isprintable():
        raise _Mistake(f"must be 1 to {LONGEST_SEPARATOR} printable characters")
    return value


def _parse_to(value: object) -> str:
    if not isinstance(value, str) or not is_type_name(value):
        raise _Mistake("must be the name of a record type")
    return value


_LIMITS = ("options", "min", "max", "max_length", "separator", "to")
# Member of the JSON -> attribute of Field, and how it is parsed (raises _Mistake).
_MEMBERS: dict[str, tuple[str, Callable[[object], object]]] = {
    "id": ("id", _parse_id),
    "type": ("type", _parse_type),
    "label": ("label", _parse_label),
    "required": ("required", _parse_flag),
    "options": ("options", _parse_options),
    "min": ("min", _parse_number),
    "max": ("max", _parse_number),
    "maxLength": ("max_length", _parse_length),
    "separator": ("separator", _parse_separator),
    "to": ("to", _parse_to),
}
