"""Reads JSON while it arrives: the items of a list or the members of an object, one at a time, in little memory.

What reads is a generator that yields whenever it needs more text; whoever drives it feeds the text and resumes it.
The parser is json's own. A streaming one (ijson) was measured to take twice as long, and let the process crash on a
number of 5,000 digits and take gigabytes for 64 KiB of opening brackets.
"""

import codecs
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final, NoReturn, TypeVar

from app.errors import Complaint, Refused

Result = TypeVar("Result")
Incremental = Generator[None, None, Result]
# What happens to an item: it comes as value and as the text that was sent.
TakeItem = Callable[[object, str], None]

UNREADABLE: Final = object()  # JSON, but no value to work with: a name twice in an object, a number beyond Decimal
UNDECIDED: Final = 3  # characters; `1` may still become `1.5` or `1e+5`
LONGEST_TOKEN: Final = 16  # characters, a string aside: json stumbles at most so far before the end of what is cut off
BLANKS: Final = frozenset(" \t\n\r")
BEGINNINGS: Final = frozenset('[{"-0123456789tfn')

_no_blank = re.compile(r"[^ \t\n\r]").search


class _NameTwiceError(Exception):
    """An object has a name twice; it never leaves this module."""


class JsonText:
    """What has arrived of a JSON text and has not been read. Blocking: feed and read it in a thread.

    All reading raises Refused: bad_request (no JSON), invalid (a value beyond `longest` characters, or nested so deep
    that it cannot be read)."""

    def __init__(self, *, longest: int) -> None:
        self.raw = ""  # the value that was read last, as it was sent
        self._longest = longest
        self._text = ""
        self._at = 0
        self._before = 0  # characters that are gone from the text
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
        """The next character that is not blank."""
        while (found := self._next()) is None:
            if self._ended:
                raise self.broken("it ends early")
            yield
        return found

    def mark(self, allowed: str) -> Incremental[str]:
        """Reads one of the characters."""
        found = yield from self.peek()
        if found not in allowed:
            raise self.broken(f"expecting one of {' '.join(allowed)}")
        self._at += 1
        return found

    def opening(self, mark: str, otherwise: Complaint) -> Incremental[None]:
        """Reads the bracket of a list or an object; any other value is refused as invalid."""
        found = yield from self.peek()
        if found != mark and found in BEGINNINGS:
            raise invalid_value(otherwise)
        yield from self.mark(mark)

    def value(self) -> Incremental[object]:
        """The next value, numbers as Decimal, or UNREADABLE; its text is `raw` then."""
        yield from self.peek()
        tried = 0
        while True:
            held = len(self._text) - self._at
            # A long value is tried again only when twice as much of it is there: the work stays in proportion.
            if self._ended or held >= min(2 * tried, self._longest):
                found, end = self._parsed()
                if (end - self._at if end else held - UNDECIDED) > self._longest:
                    raise self._unfit(f"longer than {self._longest} characters")
                if end:
                    self.raw, self._at = self._text[self._at : end], end
                    return found
                tried = held
            yield

    def values_before_commas(self) -> Iterator[object]:
        """The values that are here as a whole, each with the comma behind it: what `value` and `mark` read too, but in
        half the time for small ones. All else is left to them."""
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
        """Nothing but blanks may follow."""
        while self._next() is None:
            if self._ended:
                return
            yield
        raise self.broken("something follows its end")

    def broken(self, reason: str, further: int = 0) -> Refused:
        """The refusal for what stands so many characters behind what has been read."""
        return Refused("bad_request", f"The body is not JSON: {reason} (character {self._place(further)})")

    def _next(self) -> str | None:
        self._at = skip_blanks(self._text, self._at)
        return self._text[self._at] if self._at < len(self._text) else None

    def _parsed(self) -> tuple[object, int]:
        """The value and where it ends in the text; 0 if that cannot be told yet."""
        try:
            found, end = parse_value(self._text, self._at)
        except json.JSONDecodeError as error:
            cut_off = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - LONGEST_TOKEN
            if cut_off and not self._ended:
                return None, 0
            raise self.broken(error.msg, error.pos - self._at) from None
        except RecursionError:
            raise self._unfit("nested too deep") from None
        return found, end if self._ended or len(self._text) - end >= UNDECIDED else 0

    def _unfit(self, why: str) -> Refused:
        told = f"The value that begins at character {self._place(0)} is {why}"
        return Refused("invalid", told, [Complaint("", f"has a value that is {why}")])

    def _place(self, further: int) -> int:
        return self._before + self._at + further + 1


def read_document(text: JsonText, reading: Incremental[None]) -> Incremental[None]:
    yield from reading
    yield from text.end()


def read_list(text: JsonText, take: TakeItem, *, path: str = "") -> Incremental[None]:
    """A list that has at least one item; `path` is where it stands, for what it is refused with."""
    yield from text.opening("[", Complaint(path, "should be array"))
    if (yield from text.peek()) == "]":
        raise invalid_value(Complaint(path, "should NOT have fewer than 1 items"))
    more = True
    while more:
        for value in text.values_before_commas():
            take(value, text.raw)
        value = yield from text.value()
        take(value, text.raw)
        more = (yield from text.mark(",]")) == ","


def read_members(text: JsonText, wanted: Mapping[str, Callable[[], Incremental[None]]]) -> Incremental[None]:
    """An object: each wanted member by its own reading, in whatever order they come; others are ignored. Raises
    Refused("invalid") for one that is missing or stands twice."""
    yield from text.opening("{", Complaint("", "should be object"))
    missing = dict(wanted)
    mark = "," if (yield from text.peek()) != "}" else (yield from text.mark("}"))
    while mark == ",":
        name = yield from text.value()
        if not isinstance(name, str):
            raise text.broken("a member has no name")
        yield from text.mark(":")
        if name in wanted and name not in missing:
            raise invalid_value(Complaint(name, "should NOT be given twice"))
        yield from missing.pop(name)() if name in missing else skip_value(text)
        mark = yield from text.mark(",}")
    for name in missing:
        raise Refused("invalid", f"Payload should have required property '{name}'", [Complaint(name, "is required")])


def skip_value(text: JsonText) -> Incremental[None]:
    yield from text.value()


def invalid_value(complaint: Complaint) -> Refused:
    """In the words of Voucherify, whose bodies these are."""
    what = f"Property .{complaint.path}" if complaint.path else "Payload"
    return Refused("invalid", f"{what} {complaint.reason}", [complaint])


def skip_blanks(text: str, at: int) -> int:
    found = _no_blank(text, at)
    return found.start() if found else len(text)


def parse_value(text: str, at: int) -> tuple[object, int]:
    """The value that begins there, or UNREADABLE, and where it ends. Raises json.JSONDecodeError, RecursionError."""
    try:
        return _decoder.raw_decode(text, at)
    except (_NameTwiceError, ArithmeticError):
        return UNREADABLE, _measuring.raw_decode(text, at)[1]


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NameTwiceError
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise Refused("bad_request", f"The body is not JSON: it has {word}")


_decoder = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse_constant
)
_measuring = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse_constant)
