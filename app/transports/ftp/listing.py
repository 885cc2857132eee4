"""Lines of LIST, which follow no standard: those of `ls` in any language, and of DOS and IIS.

Name and kind have to be right, the time may be unknown. It is the server's own, to the minute or day, taken for UTC.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from app.transports.failed import REASONS, TransportFailed

Kind = Literal["file", "link", "other"]

LONGEST_LINE: Final = 4_096  # characters
SHOWN: Final = 80  # characters of a line that is not understood
KINDS: Final[dict[str, Kind]] = {"-": "file", "l": "link"}
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# `ls`: rights, perhaps with a mark for an access list; then columns, size, time and, after one blank, the name.
RIGHTS = r"([-a-zA-Z])[-rwxsStTlL]{9}[+.@*]?\s+"
SIZE = r"(\d{1,18}(?:,\s*\d+)?)\s+"  # a device has two numbers
MONTH = r"[^\W\d_]+\.?|\d{1,2}月"
DAY = r"\d{1,2}[.,日]?"
YEAR_OR_TIME = r"\d{1,2}[:.h]\d{2}(?::\d{2})?|\d{4}年?"
TIME = (
    rf"((?:(?:{MONTH})\s+{DAY}|{DAY}\s+(?:{MONTH})|\d{{1,2}}月\s?\d{{1,2}}日)\s+(?:{YEAR_OR_TIME})"
    r"|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:\s+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s[-+]\d{4})?)?"
    r"|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?\s+\d{1,2}:\d{2})"
)
# How many columns precede the size, the likeliest first: links, owner and group; fewer; or a group's name with blanks.
# Counting tells a number that is a size from one that is a group.
COLUMNS: Final = (3, 2, 1, 4, 5)
UNIX = tuple(re.compile(rf"{RIGHTS}(?:\S+\s+){{{count}}}{SIZE}{TIME}\s(.+)") for count in COLUMNS)
DOS = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})\s+(\d{1,2}:\d{2})(?::\d{2})?\s?([AaPp]?)\.?\s?[Mm]?\.?\s+"
    r"(?:(<\w+>)\s+|(\d[\d,.]{0,24})\s)(.+)"
)
SUMMARY = re.compile(r"\w+:?\s+\d+\w?")  # "total 24", in any language
ENGLISH = re.compile(r"([A-Za-z]{3})\s+(\d{1,2})\s+(?:(\d{1,2}):(\d{2})|(\d{4}))")
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:\s+(\d\d):(\d\d))?")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a line says. A link has no size of its own."""

    kind: Kind
    name: str
    size: int | None = None
    modified: datetime | None = None


def parse_list_line(line: str) -> ListedFile | None:
    """None if the line is not understood."""
    if len(line) > LONGEST_LINE:
        return None
    for style in UNIX:
        if found := style.fullmatch(line):
            return describe_unix(*found.groups())
    found = DOS.fullmatch(line)
    return describe_dos(*found.groups()) if found else None


def describe_unix(letter: str, size: str, time: str, name: str) -> ListedFile:
    kind = KINDS.get(letter, "other")
    if kind == "link":
        return ListedFile(kind, name.partition(" -> ")[0], None, parse_unix_time(time))
    return ListedFile(kind, name, int(size) if size.isdecimal() else None, parse_unix_time(time))


def describe_dos(date: str, time: str, half: str, mark: str | None, size: str | None, name: str) -> ListedFile:
    if size is None:
        return ListedFile("link" if mark == "<SYMLINK>" else "other", name)
    return ListedFile("file", name, int(re.sub(r"\D", "", size)), parse_dos_time(date, time, half))


def parse_unix_time(text: str) -> datetime | None:
    with suppress(ValueError):
        if found := ISO.match(text):
            year, month, day, hour, minute = (int(each or 0) for each in found.groups())
            return datetime(year, month, day, hour, minute, tzinfo=UTC)
        if found := ENGLISH.fullmatch(text):
            return parse_english_time(*found.groups())
    return None


def parse_english_time(month: str, day: str, hour: str | None, minute: str | None, year: str | None) -> datetime:
    """A time of day means the last twelve months. Raises ValueError."""
    number = MONTHS.index(month.lower()) + 1
    if year is not None:
        return datetime(int(year), number, int(day), tzinfo=UTC)
    latest = datetime.now(UTC) + timedelta(days=1)  # the server may be in a time zone that is ahead
    for each in range(latest.year, latest.year - 5, -1):  # the 29th of February is not in every year
        with suppress(ValueError):
            if (time := datetime(each, number, int(day), int(hour or 0), int(minute or 0), tzinfo=UTC)) <= latest:
                return time
    raise ValueError("no such day")


def parse_dos_time(date: str, time: str, half: str) -> datetime | None:
    """Month, day and year, as IIS writes them everywhere, or year, month and day."""
    first, second, third = map(int, re.split(r"\D", date))
    year, month, day = (first, second, third) if first > 31 else (third, first, second)
    hour, minute = map(int, time.split(":"))
    if half:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    with suppress(ValueError):
        return datetime(year + 2_000 if year < 100 else year, month, day, hour, minute, tzinfo=UTC)
    return None


def check_understood(lines: Iterable[str]) -> None:
    """Raises TransportFailed if any of the lines of a listing that no parser knows might describe a file."""
    first = next((line for line in lines if line.strip() and not SUMMARY.fullmatch(line.strip())), None)
    if first is None:
        return
    shown = "".join(each if each.isprintable() else "\ufffd" for each in first.strip())
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
    row = REASONS["odd_listing"]
    raise TransportFailed(row.step, f'{row.detail}: "{shown}"', reason="odd_listing")
