"""Counts the rows of a block of whole lines, as far as that is sure without a closer look."""

import csv
import io
from collections.abc import Sequence
from operator import itemgetter

from app.formats.lines import BLANKS, is_blank_row
from app.formats.quoting import DelimiterPatterns, are_quotes_regular, begins_with_blank_and_quote


def count_records(data: bytes, patterns: DelimiterPatterns) -> int | None:
    """How many rows these lines hold, which begin with a row; None if that takes a closer look."""
    delimiter = patterns.delimiter
    if patterns.rules == 1:
        return count_old_records(data, delimiter)
    if b'"' not in data:
        return count_rows(data, delimiter)
    parts = data.split(b'"')
    if are_quotes_regular(parts, (delimiter.encode(), b"\r", b"\n")):
        # What is inside of quotes neither ends a row nor leaves it blank.
        return count_rows(b'"'.join(parts[::2]), delimiter)
    text = data.decode("utf-8", "surrogateescape")
    records = parse(text, delimiter)
    # Rows that begin with a blank may be none, and a quote after a blank may belong to a broken cell.
    if records is None or not all(map(str.strip, map(itemgetter(0), records))):
        return None
    return None if begins_with_blank_and_quote(text, records, patterns) else len(records)


def count_rows(data: bytes, delimiter: str) -> int:
    """How many of these lines are rows. A quote in them is a character like any other."""
    lines, blanks = data.splitlines(), (BLANKS + delimiter).encode()
    # In most files no line begins with a blank, so no line is blank.
    if all(lines) and set(map(itemgetter(0), lines)).isdisjoint(blanks):
        return len(lines)
    # A line of delimiters is ASCII.
    return sum(1 for line in lines if line and not is_blank_row(line.decode("iso-8859-1"), delimiter))


def count_old_records(data: bytes, delimiter: str) -> int | None:
    """The same by the rules of the first release, which knew no blank rows."""
    if b'"' not in data:
        return sum(map(bool, data.splitlines()))
    records = parse(data.decode("utf-8", "surrogateescape"), delimiter)
    return None if records is None else len(records)


def parse(text: str, delimiter: str) -> Sequence[Sequence[str]] | None:
    """The records that csv reads, without empty lines; None if it refuses one."""
    try:
        return list(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except csv.Error:
        return None
