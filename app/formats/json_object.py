"""Lines of JSON read as objects: no float anywhere, no name twice, no value that could not be stored."""

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, DecimalException
from typing import NoReturn

import msgspec

from app.formats.collecting import BAD, storable
from app.problems import PROBLEMS, RowError, shorten


def parse_plain_objects(data: bytes, depth: int) -> list[dict[str, object]] | None:
    """The object of each line, whole numbers as int and the others as Decimal. None when `parse_object` might say
    something else of any line: a third of its time is only worth having for lines of which that is certain."""
    if b"\\" in data:
        return None
    lines = data.removesuffix(b"\n").split(b"\n")
    try:
        objects = list(map(_decode_line, lines))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None
    if set(map(type, objects)) != {dict}:
        return None
    # Only a text with that many brackets can be too deep.
    if max(map(len, data.translate(None, _NO_BRACKETS).split(b"\n"))) > depth:
        return None
    # Where no quote is escaped each stands at an end of a text; a name that stood twice is not there any more. An int
    # knows no -0; no other number loses a minus without losing an exponent, or gains one without gaining one.
    marks = (b'"', b"-", b"E-") if b"-0" in data else (b'"',)
    written = _written(objects)
    return objects if all(written.count(mark) == data.count(mark) for mark in marks) else None


class _WrongError(Exception):
    """Carries a verdict out of json's hooks; it never leaves this module."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.verdict: RowError = (code, PROBLEMS[code].format(**facts))


def parse_object(text: str, depth: int) -> dict[str, object] | RowError:
    """The object, its numbers as Decimal; or what is wrong with it."""
    try:
        value = _DECODER.decode(text)
        # Only a text with that many brackets can be too deep, only an escape can stand for what cannot be stored.
        if text.count("{") + text.count("[") > depth or "\\u" in text:
            _examine(value, depth)
        if isinstance(value, dict):
            return value
    except _WrongError as wrong:
        return wrong.verdict
    except json.JSONDecodeError as error:
        return _WrongError("json_error", reason=f"{error.msg} at character {error.pos + 1}").verdict
    except RecursionError:
        return _WrongError("too_deep", limit=depth).verdict
    return _WrongError("json_error", reason=f"it is {_KINDS.get(type(value), 'null')}").verdict


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _WrongError("duplicate_member", name=shorten(storable(twice)))
    return members


def _number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except DecimalException:
        raise _WrongError("json_error", reason="a number has an exponent that is too large") from None


def _constant(word: str) -> NoReturn:
    raise _WrongError("json_error", reason=f"{word} is not JSON")


def _examine(value: object, depth: int) -> None:
    """Goes down level by level, so that no depth can exhaust the stack."""
    level: list[object] = [value]
    for _ in range(depth):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    if any(isinstance(inner, dict | list) for inner in level):
        raise _WrongError("too_deep", limit=depth)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        for name in value:
            _refuse_unstorable(name)
        return value.values()
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        _refuse_unstorable(value)
    return ()


def _refuse_unstorable(text: str) -> None:
    bad = BAD.search(text)
    if bad:
        raise _WrongError("invalid_character", character=f"U+{ord(bad[0]):04X}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_number, parse_int=_number, parse_constant=_constant
)
_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a string", Decimal: "a number", bool: "a boolean"}
_NO_BRACKETS = bytes(set(range(256)) - set(b"{[\n"))
_decode_line = msgspec.json.Decoder(float_hook=Decimal).decode
_written = msgspec.json.Encoder(decimal_format="number").encode
