"""Parses JSON while it arrives: the items of a list or the members of an object, one at a time, in little memory.

Parsing functions are generators that yield whenever they need more text. The caller feeds text and resumes them.
The parser itself is that of `json`. A streaming parser (ijson) was measured to take twice as long; it crashed the
process on a number of 5,000 digits and took gigabytes for 64 KiB of opening brackets.
"""

import codecs
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final, NoReturn, TypeVar

from app.errors import Complaint, Refused, join_choices

Result = TypeVar("Result")
Incremental = Generator[None, None, Result]
# Receives an item, as a value and as the text that was sent.
TakeItem = Callable[[object, str], None]

UNREADABLE: Final = object()  # JSON, but not a usable value: an object with a repeated name, a number beyond Decimal
UNDECIDED: Final = 3  # characters at the end; `1` may still become `1.5` or `1e+5`
# Characters, except for strings: json reports an error at most so far before the end of a truncated text.
LONGEST_TOKEN: Final = 16
BLANKS: Final = frozenset(" \t\n\r")
BEGINNINGS: Final = frozenset('[{"-0123456789tfn')

_find_non_blank = re.compile(r"[^ \t\n\r]").search


class _RepeatedNameError(Exception):
    """An object has a repeated name. It never leaves this module."""


class JsonText:
    """The part of a JSON text that has arrived and is not parsed yet. Blocking: feed and parse it in a thread.

    All parsing raises Refused: bad_request (not JSON), invalid (a value longer than `longest` characters, or nested too
    deeply to be parsed).
    """

    def __init__(self, *, longest: int) -> None:
        self.raw = ""  # the value that was parsed last, as it was sent
        self._longest = longest
        self._text = ""
        self._at = 0
        self._before = 0  # characters that have been removed from the start of the text
        self._ended = False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode

    def feed(self, data: bytes, *, last: bool = False) -> None:
        self._before += self._at
        try:
            self._text = self._text[self._at :] + self._decode(data, last)
        except UnicodeDecodeError:
            raise Refused("bad_request", "The body is not JSON: it is not UTF-8") from None
        self._at, self._ended = 0, last

    def peek(self) -> Incremental[str]:
        """The next character that is not white space."""
        while (found := self._next()) is None:
            if self._ended:
                raise self.broken("it ends after", -1)
            yield
        return found

    def mark(self, allowed: str) -> Incremental[str]:
        """Consumes one of the characters."""
        found = yield from self.peek()
        if found not in allowed:
            raise self.broken(f"{join_choices(f'`{each}`' for each in allowed)} expected at")
        self._at += 1
        return found

    def opening(self, mark: str, path: str, message: str) -> Incremental[None]:
        """Consumes the opening bracket of a list or object. Any other value is refused as invalid, with the message."""
        found = yield from self.peek()
        if found != mark and found in BEGINNINGS:
            raise invalid_value(path, message)
        yield from self.mark(mark)

    def value(self) -> Incremental[object]:
        """The next value, with numbers as Decimal, or UNREADABLE. Its text is in `raw` afterwards."""
        yield from self.peek()
        tried = 0
        while True:
            held = len(self._text) - self._at
            # A long value is tried again only when twice as much of it has arrived: the work stays proportional.
            if self._ended or held >= min(2 * tried, self._longest):
                found, end = self._parsed()
                if (end - self._at if end else held - UNDECIDED) > self._longest:
                    raise self._invalid(f"longer than {self._longest:,} characters")
                if end:
                    self.raw, self._at = self._text[self._at : end], end
                    return found
                tried = held
            yield

    def values_before_commas(self) -> Iterator[object]:
        """The values that have arrived completely, each with the comma after it. `value` and `mark` parse them too, but
        take twice as long for small ones. Everything else is left to them."""
        text, at = self._text, skip_blanks(self._text, self._at)
        with suppress(json.JSONDecodeError, RecursionError):
            while True:
                found, end = parse_value(text, at)
                if text[end : end + 1] != "," or end - at > self._longest:
                    return
                self.raw, self._at = text[at:end], end + 1
                yield found
                at = self._at
                if text[at : at + 1] in BLANKS:
                    at = skip_blanks(text, at)

    def end(self) -> Incremental[None]:
        """Refuses anything but white space until the end."""
        while self._next() is None:
            if self._ended:
                return
            yield
        raise self.broken("there is something after its end, at")

    def broken(self, reason: str, further: int = 0) -> Refused:
        """The refusal for an error so many characters after what has been parsed: the reason is followed by where."""
        return Refused("bad_request", f"The body is not JSON: {reason} character {self._position(further)}")

    def _next(self) -> str | None:
        self._at = skip_blanks(self._text, self._at)
        return self._text[self._at] if self._at < len(self._text) else None

    def _parsed(self) -> tuple[object, int]:
        """The value and where it ends in the text; 0 while that is not known."""
        try:
            found, end = parse_value(self._text, self._at)
        except json.JSONDecodeError as error:
            truncated = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - LONGEST_TOKEN
            if truncated and not self._ended:
                return None, 0
            raise self.broken(f"{error.msg.removesuffix(' at').rstrip(': ')} at", error.pos - self._at) from None
        except RecursionError:
            raise self._invalid("nested too deeply") from None
        return found, end if self._ended or len(self._text) - end >= UNDECIDED else 0

    def _invalid(self, reason: str) -> Refused:
        message = f"The value that begins at character {self._position(0)} is {reason}"
        return Refused("invalid", message, [Complaint("", message)])

    def _position(self, further: int) -> int:
        return self._before + self._at + further + 1


def read_document(text: JsonText, parsing: Incremental[None]) -> Incremental[None]:
    yield from parsing
    yield from text.end()


def read_list(text: JsonText, take: TakeItem, *, path: str = "") -> Incremental[None]:
    """A list of at least one item; `path` is its place in the body, for messages."""
    yield from text.opening("[", path, "should be array")
    if (yield from text.peek()) == "]":
        raise invalid_value(path, "should NOT have fewer than 1 items")
    more = True
    while more:
        for value in text.values_before_commas():
            take(value, text.raw)
        value = yield from text.value()
        take(value, text.raw)
        more = (yield from text.mark(",]")) == ","


def read_members(text: JsonText, members: Mapping[str, Callable[[], Incremental[None]]]) -> Incremental[None]:
    """An object: each of the members with its own parsing function, in any order; other members are ignored. Raises
    Refused("invalid") for a member that is missing or repeated."""
    yield from text.opening("{", "", "should be object")
    missing = dict(members)
    mark = "," if (yield from text.peek()) != "}" else (yield from text.mark("}"))
    while mark == ",":
        name = yield from text.value()
        if not isinstance(name, str):
            raise text.broken("a member has no name at")
        yield from text.mark(":")
        if name in members and name not in missing:
            raise invalid_value(name, "should NOT be given twice")
        yield from missing.pop(name)() if name in missing else skip_value(text)
        mark = yield from text.mark(",}")
    for name in missing:
        reason = f"Payload should have required property '{name}'"
        raise Refused("invalid", reason, [Complaint(name, reason)])


def skip_value(text: JsonText) -> Incremental[None]:
    yield from text.value()


def invalid_value(path: str, message: str) -> Refused:
    """The refusal in the words of Voucherify, whose bodies these are."""
    reason = f"Property .{path} {message}" if path else f"Payload {message}"
    return Refused("invalid", reason, [Complaint(path, reason)])


def skip_blanks(text: str, at: int) -> int:
    found = _find_non_blank(text, at)
    return found.start() if found else len(text)


def parse_value(text: str, at: int) -> tuple[object, int]:
    """The value that begins at `at`, or UNREADABLE, and where it ends. Raises json.JSONDecodeError, RecursionError."""
    try:
        return _decoder.raw_decode(text, at)
    except (_RepeatedNameError, ArithmeticError):
        return UNREADABLE, _measuring.raw_decode(text, at)[1]


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedNameError
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise Refused("bad_request", f"The body is not JSON: it contains {word}")


_decoder = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse_constant
)
_measuring = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse_constant)
