"""The fields of a declaration: read from JSON with every mistake named, and written back as JSON."""

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from app.errors import Complaint
from app.resources.cells import TYPES
from app.resources.schema import Field

MOST_FIELDS = 500
MOST_OPTIONS = 1_000
LONGEST_OPTION = 255
LONGEST_SEPARATOR = 5
LONGEST_TEXT = 1_000_000_000  # far beyond any cell
DIGITS = 15  # of a bound: so many survive JSON readers that know only floating point
LARGEST = 30  # power of ten


class _Mistake(Exception):
    """A member of a field's declaration cannot be used, for the reason given."""


_id_text = re.compile(r"[A-Za-z][A-Za-z0-9_\-()\[\]]{0,149}").fullmatch


def read_fields(body: object, complaints: list[Complaint], *, taken: Collection[str] = ()) -> tuple[Field, ...]:
    """The fields that can be understood; what is wrong with the others goes to `complaints`. `taken`: ids that
    stand already."""
    if not isinstance(body, list):
        complaints.append(Complaint("fields", "must be a list of fields"))
        return ()
    if len(body) > MOST_FIELDS:
        complaints.append(Complaint("fields", f"must be at most {MOST_FIELDS} fields"))
        return ()
    fields: list[Field] = []
    seen = set(taken)
    for index, each in enumerate(body):
        field = _read_field(each, f"fields[{index}]", complaints)
        if field is None:
            continue
        if field.id in seen:
            complaints.append(Complaint(f"fields[{index}].id", "stands already for another field"))
        seen.add(field.id)
        fields.append(field)
    return tuple(fields)


def field_to_json(field: Field) -> dict[str, object]:
    """A field as its declaration writes it, without the members that are not set."""
    written: dict[str, object] = {"id": field.id, "type": field.type}
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
    if field.read_only:
        written["readOnly"] = True
    return written


def complain_of_unknown(body: dict[str, object], known: Collection[str], prefix: str) -> list[Complaint]:
    return [
        # Whatever the name holds, the answer that repeats it can be encoded.
        Complaint(
            prefix + name[:50].encode("utf-8", "replace").decode(), f"is not known here; known: {', '.join(known)}"
        )
        for name in body
        if name not in known
    ]


def _read_field(body: object, path: str, complaints: list[Complaint]) -> Field | None:
    if not isinstance(body, dict):
        complaints.append(Complaint(path, "must be an object with id and type"))
        return None
    wrong = complain_of_unknown(body, _MEMBERS, f"{path}.")
    values: dict[str, Any] = {}
    for name, (attribute, read) in _MEMBERS.items():
        given = body.get(name)
        if given is None:
            if name in ("id", "type"):
                wrong.append(Complaint(f"{path}.{name}", "is required"))
            continue
        try:
            values[attribute] = read(given)
        except _Mistake as reason:
            wrong.append(Complaint(f"{path}.{name}", str(reason)))
    if "type" in values:
        wrong += _misfits(values, body, path)
    complaints += wrong
    return None if wrong else Field(**values)


def _misfits(values: dict[str, Any], body: dict[str, object], path: str) -> list[Complaint]:
    """Members that are right by themselves and wrong together."""
    type_ = values["type"]
    wrong = [
        Complaint(f"{path}.{name}", f"means nothing for a field of type {type_}")
        for name, (attribute, _) in _MEMBERS.items()
        if attribute in values and attribute in _LIMITS and attribute not in TYPES[type_].limits
    ]
    if type_ == "enum" and body.get("options") is None:
        wrong.append(Complaint(f"{path}.options", "is required for a field of type enum"))
    if "min" in values and "max" in values and values["min"] > values["max"]:
        wrong.append(Complaint(f"{path}.min", "is above max"))
    separator = values.get("separator", "|")
    if type_ == "list" and any(separator in option for option in values.get("options", ())):
        wrong.append(Complaint(f"{path}.options", "holds the separator inside an option"))
    return wrong


def _id(given: object) -> str:
    if not isinstance(given, str) or not _id_text(given):
        raise _Mistake(
            "must begin with a letter and hold letters, digits, hyphens, underscores and brackets, at most 150 in all"
        )
    if given == "id":
        raise _Mistake("is a reserved name")
    return given


def _type(given: object) -> str:
    if not isinstance(given, str) or given not in TYPES:
        raise _Mistake(f"must be one of {', '.join(TYPES)}")
    return given


def _flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise _Mistake("must be true or false")
    return given


def _options(given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST_OPTIONS:
        raise _Mistake(f"must be a list of 1 to {MOST_OPTIONS} texts")
    if not all(isinstance(option, str) and _fit_for_option(option) for option in given):
        raise _Mistake(f"must be texts of 1 to {LONGEST_OPTION} characters without blanks around them")
    if len(set(given)) != len(given):
        raise _Mistake("names an option twice")
    return tuple(given)


def _fit_for_option(text: str) -> bool:
    return 0 < len(text) <= LONGEST_OPTION and text == text.strip() and text.isprintable()


def _number(given: object) -> Decimal:
    if not isinstance(given, int | float | Decimal) or isinstance(given, bool):
        raise _Mistake("must be a number")
    number = Decimal(given) if isinstance(given, int) else Decimal(str(given))
    if not number.is_finite() or number.adjusted() > LARGEST:
        raise _Mistake("is too large")
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > DIGITS or number.adjusted() < -DIGITS:
        raise _Mistake(f"must have at most {DIGITS} digits")
    return number


def _length(given: object) -> int:
    if isinstance(given, Decimal) and given.is_finite() and given.adjusted() <= LARGEST and given == int(given):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LONGEST_TEXT:
        raise _Mistake(f"must be a whole number from 1 to {LONGEST_TEXT}")
    return given


def _separator(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_SEPARATOR or not given.isprintable():
        raise _Mistake(f"must be 1 to {LONGEST_SEPARATOR} characters")
    return given


_LIMITS = ("options", "min", "max", "max_length", "separator")
# Member of the JSON -> attribute of Field, and how it is read (a _Mistake says what is wrong with it).
_MEMBERS: dict[str, tuple[str, Callable[[object], object]]] = {
    "id": ("id", _id),
    "type": ("type", _type),
    "required": ("required", _flag),
    "options": ("options", _options),
    "min": ("min", _number),
    "max": ("max", _number),
    "maxLength": ("max_length", _length),
    "separator": ("separator", _separator),
}
