"""Patterns of dates such as `DD.MM.YYYY`: how text is read by one, and written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

LONGEST_PATTERN: Final = 100  # characters
PIVOT: Final = 69  # two digits from here on are years of the last century, as POSIX has it


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a pattern: what it stands for, the text that it takes, and how a number is written for it."""

    part: str
    regex: str
    width: int  # digits that are written at least
    description: str

    @property
    def is_variable(self) -> bool:
        """Whether it takes one digit or two, so that no digit may follow it."""
        return self.width == 1


TOKENS: Final[dict[str, Token]] = {
    "YYYY": Token("year", "[0-9]{4}", 4, "the year with four digits"),
    "YY": Token("short_year", "[0-9]{2}", 2, "the year with two digits, from 1969 to 2068"),
    "MM": Token("month", "[0-9]{2}", 2, "the month with two digits"),
    "M": Token("month", "[0-9]{1,2}", 1, "the month with one digit or two"),
    "DD": Token("day", "[0-9]{2}", 2, "the day with two digits"),
    "D": Token("day", "[0-9]{1,2}", 1, "the day with one digit or two"),
    "HH": Token("hour", "[01][0-9]|2[0-3]", 2, "the hour from 00 to 23"),
    "H": Token("hour", "1[0-9]|2[0-3]|[0-9]", 1, "the hour from 0 to 23"),
    "hh": Token("half_hour", "0[1-9]|1[0-2]", 2, "the hour from 01 to 12, together with `A`"),
    "h": Token("half_hour", "1[0-2]|[1-9]", 1, "the hour from 1 to 12, together with `A`"),
    "mm": Token("minute", "[0-5][0-9]", 2, "the minute"),
    "ss": Token("second", "[0-5][0-9]", 2, "the second"),
    "A": Token("half", "(?i:[AP]M)", 2, "AM or PM, in any case"),
}  # fmt: skip
PLAIN_LETTERS: Final = "TZ"  # of ISO 8601; they stand for themselves
_split = re.compile(r"YYYY|YY|MM?|DD?|HH?|hh?|mm|ss|A|[^A-Za-z]|[TZ]|[A-Za-z]+").findall
_match_iso = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2}))?.*").fullmatch


class BadPattern(Exception):
    """Why a text is no pattern. It goes on from the name of the member: "must …"."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A pattern that was understood. `read` gives a date in ISO 8601 (with `timed`, a date and time), or None for text
    that does not look like the pattern or is no day of the calendar. `write` is its inverse; None for what cannot be
    written, such as seconds without `ss`."""

    read: Callable[[str], str | None]
    write: Callable[[str], str | None]


def parse_pattern(pattern: str) -> list[str]:
    """The tokens and literal characters of a pattern. Raises BadPattern."""
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"must have at most {LONGEST_PATTERN} characters")
    pieces: list[str] = _split(pattern)
    parts = [TOKENS[piece].part for piece in pieces if piece in TOKENS]
    for piece in pieces:
        if piece not in TOKENS and piece.isalpha() and piece not in PLAIN_LETTERS:
            raise BadPattern(f'must not contain "{piece}". Use {", ".join(TOKENS)}, and characters that are no letters')
    if len(set(parts)) < len(parts):
        raise BadPattern("must not contain a part twice")
    _check_parts(set(parts))
    for piece, following in pairwise(pieces):
        if piece in TOKENS and TOKENS[piece].is_variable and (following in TOKENS or following.isdigit()):
            raise BadPattern(f"is ambiguous: `{piece}` may be one digit or two, so a separator must follow it")
    return pieces


def _check_parts(parts: set[str]) -> None:
    years = parts & {"year", "short_year"}
    if len(years) != 1 or not {"month", "day"} <= parts:
        raise BadPattern("must contain the year (YYYY or YY), the month (MM or M) and the day (DD or D), each once")
    hours = parts & {"hour", "half_hour"}
    if len(hours) > 1 or ("half_hour" in parts) != ("half" in parts):
        raise BadPattern("must have `hh` or `h` together with `A`, or `HH` or `H` without it")
    if ("minute" in parts and not hours) or ("second" in parts and "minute" not in parts):
        raise BadPattern("must have the hour where it has `mm`, and `mm` where it has `ss`")


def has_time(pattern: str) -> bool:
    """Whether a valid pattern reads more than a day."""
    return any(piece in TOKENS and TOKENS[piece].part in ("hour", "half_hour") for piece in parse_pattern(pattern))


def compile_pattern(pattern: str, *, timed: bool) -> DateFormat:
    """Raises BadPattern."""
    pieces = parse_pattern(pattern)
    match = re.compile("".join(map(_build_regex, pieces))).fullmatch

    def read(text: str) -> str | None:
        found = match(text.strip())
        return None if found is None else _to_iso(found.groupdict(), timed=timed)

    def write(text: str) -> str | None:
        parts = _match_iso(text)
        if parts is None:
            return None
        written = "".join(_write_token(each, parts.groups(default="00")) for each in pieces)
        return written if read(written) == text.removesuffix("Z") else None

    return DateFormat(read, write)


def _build_regex(piece: str) -> str:
    token = TOKENS.get(piece)
    return f"(?P<{token.part}>{token.regex})" if token else re.escape(piece)


def _to_iso(parts: dict[str, str], *, timed: bool) -> str | None:
    year = int(parts.get("year") or 0)
    if "short_year" in parts:
        short = int(parts["short_year"])
        year = short + (1900 if short >= PIVOT else 2000)
    try:
        day = date(year, int(parts["month"]), int(parts["day"])).isoformat()
    except ValueError:
        return None
    if not timed:
        return day
    hour = int(parts.get("hour", 0))
    if "half" in parts:
        hour = int(parts["half_hour"]) % 12 + (12 if parts["half"].upper() == "PM" else 0)
    return f"{day}T{hour:02}:{parts.get('minute', '00')}:{parts.get('second', '00')}"


def _write_token(piece: str, iso: tuple[str, ...]) -> str:
    """A token as the date has it; any other character as it is."""
    if piece not in TOKENS:
        return piece
    year, month, day, hour, minute, second = iso
    if TOKENS[piece].part == "half":
        return "PM" if int(hour) >= 12 else "AM"
    texts = {"year": year, "short_year": year[2:], "month": month, "day": day, "minute": minute, "second": second}
    texts |= {"hour": hour, "half_hour": f"{(int(hour) - 1) % 12 + 1:02}"}
    text = texts[TOKENS[piece].part]
    return str(int(text)) if TOKENS[piece].is_variable else text
