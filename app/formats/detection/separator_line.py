"""Reads the line `sep=;` with which spreadsheet programs tell each other the delimiter of a CSV file."""

import re
from dataclasses import dataclass
from typing import Final

# A program that does not know the line may have put it in quotes or padded it with delimiters.
_LINE = re.compile(rb'"?sep=([^\r\n"])\1*"?[ \t]*(?:\r\n|\n|\r|\Z)', re.IGNORECASE)
LONGEST_LINE: Final = 256  # bytes


@dataclass(frozen=True, slots=True)
class SeparatorLine:
    """The delimiter that the line names, and the length of the line in bytes with its end."""

    delimiter: str
    size: int


def read_separator_line(data: bytes) -> SeparatorLine | None:
    """The line with which `data` begins, after blank lines; None if it is another line. Only one delimiter of one byte
    is understood."""
    match = _LINE.match(data[:LONGEST_LINE])
    return SeparatorLine(match[1].decode("latin-1"), match.end()) if match else None
