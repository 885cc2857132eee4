"""Recognises a file of failed rows that comes back: its header ends with the columns that say what was wrong."""

import re
from typing import Final

# Columns that a failed-rows file has after the original ones. An import ignores them, so that the corrected file can
# be sent back as it is.
REPORT_COLUMNS: Final = ("_line", "_codes", "_messages")
# A spreadsheet program may have put headings in quotes, or have chosen another delimiter.
_END = re.compile(rb"([,;\t|])" + rb"\1".join(rb'"?%b"?' % name.encode() for name in REPORT_COLUMNS) + rb"[ \t]*\Z")
_first_line = re.compile(rb"[^\r\n]*").match


def read_report_delimiter(head: bytes) -> str | None:
    """The delimiter of a file of failed rows that begins with `head`, after blank lines; None for every other file."""
    line = _first_line(head.lstrip(b"\r\n"))
    match = _END.search(line[0]) if line else None
    return match[1].decode() if match else None
