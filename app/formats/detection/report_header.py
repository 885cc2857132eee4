"""Recognises a file of results that comes back: its header ends with the columns that say what became of each row."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count
from typing import Final

# Columns that a file of failed rows, or of all rows, has after the original ones. An import ignores them, so that the
# file can be sent back as it is.
REPORT_COLUMNS: Final = ("_line", "_codes", "_messages")
RESULT_COLUMNS: Final = ("_line", "_outcome", "_key", "_codes", "_messages")


# What a heading of a report may end with, see `name_report`.
_NUMBER: Final = r"(?:_[0-9]+)?"


def _end_with(columns: Sequence[str]) -> bytes:
    return rb"\1".join(rb'"?%b%b"?' % (name.encode(), _NUMBER.encode()) for name in columns)


# A spreadsheet program may have put headings in quotes, or have chosen another delimiter, or added blank columns.
_END = re.compile(rb"([,;\t|])(?:" + _end_with(REPORT_COLUMNS) + b"|" + _end_with(RESULT_COLUMNS) + rb")\1*[ \t]*\Z")
_first_line = re.compile(rb"[^\r\n]*").match
_REPORT, _RESULTS = ("\n".join(name + _NUMBER for name in names) for names in (REPORT_COLUMNS, RESULT_COLUMNS))
_is_report, _is_results = re.compile(_REPORT).fullmatch, re.compile(_RESULTS).fullmatch
_find_results = re.compile(f"^{_RESULTS}$", re.MULTILINE).search


def read_report_delimiter(head: bytes) -> str | None:
    """The delimiter of a file of results that begins with `head`, after blank lines; None for every other file."""
    line = _first_line(head.lstrip(b"\r\n"))
    match = _END.search(line[0]) if line else None
    return match[1].decode() if match else None


def name_report(own: Collection[object], columns: Sequence[str]) -> list[str]:
    """What the columns of a report are called behind those of the sender's `own`: `_line` is `_line_2` where there is a
    `_line` already."""
    return [next(name for name in _number(column) if name not in own) for column in columns]


def _number(column: str) -> Iterator[str]:
    yield column
    yield from (f"{column}_{number}" for number in count(2))


def find_results(header: Sequence[str]) -> range:
    """The indexes of the columns of all results with which a header ends, before blank headings; none if it does not.
    They are ignored even if they are called as fields are."""
    return _find_tail(header, RESULT_COLUMNS, _is_results)


def find_report(header: Sequence[str]) -> range:
    """The same for a file of failed rows as well, whose columns are ignored unless they fill a field. Only a whole
    report is one: a single `_line` is a column of the sender's own."""
    return find_results(header) or _find_tail(header, REPORT_COLUMNS, _is_report)


def _find_tail(header: Sequence[str], columns: Sequence[str], is_tail: Callable[[str], object]) -> range:
    end = len(header)
    while end and not header[end - 1]:
        end -= 1
    start = max(0, end - len(columns))
    return range(start, end) if is_tail("\n".join(header[start:end])) else range(0)


def name_result_members(names: Collection[object]) -> Sequence[object]:
    """Which members of an object of JSON Lines, of which only files of all results have such, are those of a report:
    five that follow each other, or all five wherever a program has put them that sorts members."""
    ours = [name for name in names if isinstance(name, str) and name.startswith(RESULT_COLUMNS)]
    if len(ours) < len(RESULT_COLUMNS):
        return ()
    found = _find_results("\n".join(map(str, names)))
    if found:
        return found[0].split("\n")
    return RESULT_COLUMNS if all(name in names for name in RESULT_COLUMNS) else ()
