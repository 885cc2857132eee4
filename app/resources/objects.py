"""JSON objects and arrays as values: read strictly, written with the digits given, never what PostgreSQL refuses."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

from app.resources.conversion import BadCell, not_a, quoted
from app.resources.numbers import decimal_text, number_text

DEPTH = 32  # levels of nesting; the outermost object is the first

NOT_OBJECT = not_a(
    f"a JSON object or array that can be stored (no name twice, at most {DEPTH} levels, no NaN, no NUL character)"
)
NOT_JSON = not_a(f"a JSON value that can be stored (at most {DEPTH} levels, no NaN, no NUL character)")


class _Unstorable(ValueError):
    """Somewhere inside is a thing that JSON or PostgreSQL does not take."""


def object_text(text: str) -> str | BadCell:
    try:
        given = json.loads(
            text,
            parse_int=Decimal,
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_no_name_twice,
        )
    # Decimal raises an ArithmeticError for an exponent beyond its own limits, the parser RecursionError when too deep.
    except (ValueError, ArithmeticError, RecursionError):
        return NOT_OBJECT
    return object_value(given)


def object_value(given: object) -> str | BadCell:
    return written(given, NOT_OBJECT) if isinstance(given, dict | list) else NOT_OBJECT


def any_value(given: object) -> str | BadCell:
    """Any JSON value as JSON text; for a column that is kept although no field declares it."""
    return written(given, NOT_JSON)


def written(given: object, wrong: BadCell) -> str | BadCell:
    try:
        return "".join(_pieces(given, 0))
    except _Unstorable:
        return wrong


def _no_constant(name: str) -> object:
    raise _Unstorable(name)


def _no_name_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unstorable("duplicate name")
    return found


def _pieces(given: object, depth: int) -> Iterator[str]:
    if isinstance(given, dict | list):
        if depth >= DEPTH:
            raise _Unstorable("too deep")
        yield from _object(given, depth + 1) if isinstance(given, dict) else _array(given, depth + 1)
    else:
        write = _SCALARS.get(type(given))
        if write is None:
            raise _Unstorable(type(given).__name__)
        yield write(given)


def _object(given: dict[str, object], depth: int) -> Iterator[str]:
    opening = "{"
    for name, value in given.items():
        yield opening + _string(name) + ":"
        yield from _pieces(value, depth)
        opening = ","
    yield "}" if given else "{}"


def _array(given: list[object], depth: int) -> Iterator[str]:
    opening = "["
    for value in given:
        yield opening
        yield from _pieces(value, depth)
        opening = ","
    yield "]" if given else "[]"


def _string(given: object) -> str:
    if not isinstance(given, str) or "\0" in given or (not given.isascii() and _has_surrogate(given)):
        raise _Unstorable("string")
    return quoted(given)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _number(given: object) -> str:
    digits = number_text(given)
    number = NOT_OBJECT if digits is None else decimal_text(digits)
    if isinstance(number, BadCell):
        raise _Unstorable("number")
    return number


_SCALARS: dict[type, Callable[[object], str]] = {
    str: _string,
    Decimal: _number,
    int: _number,
    bool: lambda given: "true" if given else "false",
    type(None): lambda _none: "null",
}
