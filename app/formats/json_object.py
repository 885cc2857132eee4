"""Parses lines of JSON as objects: no float anywhere, no name twice, no value that could not be stored."""

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, DecimalException
from typing import NoReturn

import msgspec

from app.formats.characters import UNSTORABLE, escape_unstorable
from app.problems import RowError, row_error, shorten


def parse_plain_objects(data: bytes, depth: int) -> list[dict[str, object]] | None:
    """The object of each line, whole numbers as int and the others as Decimal. None if there is any doubt whether
    `parse_object` would give the same for every line: this way takes a third of the time, and is for plain lines only.
    """
    if b"\\" in data:
        return None
    lines = data.removesuffix(b"\n").split(b"\n")
    try:
        objects = list(map(_decode_line, lines))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None
    if set(map(type, objects)) != {dict}:
        return None
    # Only a line with that many brackets can be nested too deep.
    if max(map(len, data.translate(None, _ALL_BUT_BRACKETS).split(b"\n"))) > depth:
        return None
    # Encoding the objects again shows what was lost: nothing, if the same comes out. White space may have been, and
    # numbers may be spelled in another way. As no quote is escaped, each begins or ends a string; a missing one belongs
    # to a name that was there twice. An int has no -0; no other number can lose a minus without losing an exponent, or
    # gain one without gaining one.
    encoded = _encode_lines(objects)
    if encoded == data:
        return objects
    marks = (b'"', b"-", b"E-") if b"-0" in data else (b'"',)
    return objects if all(encoded.count(mark) == data.count(mark) for mark in marks) else None


class _CannotParse(Exception):
    """Carries a RowError out of json's hooks. It never leaves this module."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error)
        self.error = error


def parse_object(text: str, depth: int) -> dict[str, object] | RowError:
    """The object, its numbers as Decimal; or what is wrong with it."""
    try:
        value = _DECODER.decode(text)
        # Only a text with that many brackets can be too deep; only an escape can stand for what cannot be stored.
        if text.count("{") + text.count("[") > depth or "\\u" in text:
            _check(value, depth)
    except _CannotParse as refused:
        return refused.error
    except json.JSONDecodeError as error:
        return row_error("json_error", reason=f"{error.msg} at character {error.pos + 1}")
    except RecursionError:
        return row_error("too_deep", limit=depth)
    if isinstance(value, dict):
        return value
    return row_error("json_error", reason=f"it is {_KINDS.get(type(value), 'null')}")


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        duplicate = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _CannotParse(row_error("duplicate_member", name=shorten(escape_unstorable(duplicate))))
    return members


def _parse_number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except DecimalException:
        raise _CannotParse(row_error("json_error", reason="a number has too large an exponent")) from None


def _refuse_constant(word: str) -> NoReturn:
    raise _CannotParse(row_error("json_error", reason=f"{word} is not allowed in JSON"))


def _check(value: object, depth: int) -> None:
    """Goes down level by level, so that no depth can exhaust the stack."""
    level: list[object] = [value]
    for _ in range(depth):
        level = [inner for outer in level for inner in _list_children(outer)]
        if not level:
            return
    if any(isinstance(inner, dict | list) for inner in level):
        raise _CannotParse(row_error("too_deep", limit=depth))


def _list_children(value: object) -> Iterable[object]:
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
    unstorable = UNSTORABLE.search(text)
    if unstorable:
        raise _CannotParse(row_error("invalid_character", character=f"U+{ord(unstorable[0]):04X}"))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_float=_parse_number,
    parse_int=_parse_number,
    parse_constant=_refuse_constant,
)
_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a string", Decimal: "a number", bool: "a boolean"}
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"{[\n"))
_decode_line = msgspec.json.Decoder(float_hook=Decimal).decode
_encode_lines = msgspec.json.Encoder(decimal_format="number").encode_lines
