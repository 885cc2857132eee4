"""Recognises a file of results that comes back: its header ends with the columns that say what became of each row."""

import re
from collections.abc import Collection, Sequence
from typing import Final

# Columns that a file of failed rows, or of all rows, has after the original ones. An import ignores them, so that the
# file can be sent back as it is.
REPORT_COLUMNS: Final = ("_line", "_codes", "_messages")
RESULT_COLUMNS: Final = ("_line", "_outcome", "_key", "_codes", "_messages")


def _end_with(columns: Sequence[str]) -> bytes:
    return rb"\1".join(rb'"?%b"?' % name.encode() for name in columns)


# A spreadsheet program may have put headings in quotes, or have chosen another delimiter.
_END = re.compile(rb"([,;\t|])(?:" + _end_with(REPORT_COLUMNS) + b"|" + _end_with(RESULT_COLUMNS) + rb")[ \t]*\Z")
_first_line = re.compile(rb"[^\r\n]*").match


def read_report_delimiter(head: bytes) -> str | None:
    """The delimiter of a file of results that begins with `head`, after blank lines; None for every other file."""
    line = _first_line(head.lstrip(b"\r\n"))
    match = _END.search(line[0]) if line else None
    return match[1].decode() if match else None


def name_report_columns(names: Collection[str]) -> tuple[str, ...]:
    """Which columns or members, of a file or an object that has these, are ignored unless they fill a field. `_key` and
    `_outcome` are names that others use, so they are only so among results."""
    return RESULT_COLUMNS if "_line" in names and "_outcome" in names else REPORT_COLUMNS


def find_report(header: Sequence[str]) -> range:
    """The indexes of the columns of results with which a header ends; none if it does not. They are ignored even if
    they are called as fields are."""
    size = len(RESULT_COLUMNS) if tuple(header[-len(RESULT_COLUMNS) :]) == RESULT_COLUMNS else 0
    return range(len(header) - size, len(header))


def name_result_members(names: Collection[object]) -> tuple[str, ...]:
    """The same for an object of JSON Lines, of which only files of results have members of this kind."""
    return RESULT_COLUMNS if "_line" in names and "_outcome" in names else ()
