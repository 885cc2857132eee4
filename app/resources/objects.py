"""JSON objects and arrays as values: read strictly, written digit for digit, without anything PostgreSQL refuses."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

from app.resources.conversion import BadCell, quote_json, type_error
from app.resources.numbers import convert_decimal, format_number

MAX_DEPTH = 32  # levels of nesting; the outermost object is the first

NOT_OBJECT = type_error(
    "The value must be a JSON object or array without duplicate names, NaN or NUL characters, "
    f"nested at most {MAX_DEPTH} levels deep"
)
NOT_JSON = type_error(f"The value must be JSON without NaN or NUL characters, nested at most {MAX_DEPTH} levels deep")


class _Unstorable(ValueError):
    """The value contains something that JSON or PostgreSQL does not accept."""


def convert_object(text: str) -> str | BadCell:
    try:
        value = json.loads(
            text,
            parse_int=Decimal,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_build_object,
        )
    # Decimal raises an ArithmeticError for an exponent beyond its limits, the parser a RecursionError if too deep.
    except (ValueError, ArithmeticError, RecursionError):
        return NOT_OBJECT
    return convert_object_value(value)


def convert_object_value(value: object) -> str | BadCell:
    return render_json(value, NOT_OBJECT) if isinstance(value, dict | list) else NOT_OBJECT


def convert_any_value(value: object) -> str | BadCell:
    """Any JSON value as JSON text; for a column that is kept although no field declares it."""
    return render_json(value, NOT_JSON)


def render_json(value: object, wrong: BadCell) -> str | BadCell:
    """The value as JSON text, or `wrong` if it cannot be stored."""
    try:
        return "".join(_render(value, 0))
    except _Unstorable:
        return wrong


def _refuse_constant(name: str) -> object:
    raise _Unstorable(name)


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Unstorable("duplicate name")
    return members


def _render(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise _Unstorable("too deep")
        yield from _render_object(value, depth + 1) if isinstance(value, dict) else _render_array(value, depth + 1)
    else:
        render_scalar = _SCALARS.get(type(value))
        if render_scalar is None:
            raise _Unstorable(type(value).__name__)
        yield render_scalar(value)


def _render_object(members: dict[str, object], depth: int) -> Iterator[str]:
    before = "{"
    for name, value in members.items():
        yield before + _render_string(name) + ":"
        yield from _render(value, depth)
        before = ","
    yield "}" if members else "{}"


def _render_array(items: list[object], depth: int) -> Iterator[str]:
    before = "["
    for value in items:
        yield before
        yield from _render(value, depth)
        before = ","
    yield "]" if items else "[]"


def _render_string(value: object) -> str:
    if not isinstance(value, str) or "\0" in value or (not value.isascii() and _has_surrogate(value)):
        raise _Unstorable("string")
    return quote_json(value)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _render_number(value: object) -> str:
    digits = format_number(value)
    number = NOT_OBJECT if digits is None else convert_decimal(digits)
    if isinstance(number, BadCell):
        raise _Unstorable("number")
    return number


_SCALARS: dict[type, Callable[[object], str]] = {
    str: _render_string,
    Decimal: _render_number,
    int: _render_number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _none: "null",
}
