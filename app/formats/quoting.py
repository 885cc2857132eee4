"""One record of delimited text taken apart strictly by RFC 4180, and what a broken quote costs the lines around it.

Good text is read by the standard library's csv. This is for the rest: it knows where every cell stands, tells which
quote is wrong, and decides which of the following lines are rows of their own and which the inside of a broken cell.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

LINE_END = re.compile("[\r\n]")
# A quoted cell from its opening quote on; the last quote is missing when the text ends inside the cell.
QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)("?)')


# Named tuples: of these one is made for every record, and a frozen dataclass takes four times as long.
class Whole(NamedTuple):
    """A record that could be taken apart. `end` is behind its line end; `stray`: a quote stands in an unquoted cell."""

    cells: list[str]
    end: int
    stray: bool


class Broken(NamedTuple):
    """A record with a broken quote. `quote` is where the quote opened. Of the lines after the record's first, those
    that end by `inside` are inside the broken cell, those that end by `end` are rows to be judged one by one."""

    start: int
    quote: int
    reason: str
    inside: int
    end: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """The delimiter, and what can only be matched when it is known."""

    delimiter: str
    end: re.Pattern[str]  # what ends an unquoted cell
    rest: re.Pattern[str]  # further cells on one line, as far as they are well formed


@cache
def grammar(delimiter: str) -> Grammar:
    mark = re.escape(delimiter)
    quoted = r'"[^"\r\n]*+(?:""[^"\r\n]*+)*+"'
    return Grammar(
        delimiter,
        re.compile(rf"[{mark}\r\n]"),
        re.compile(rf'(?:{mark}(?:{quoted}(?=[{mark}\r\n]|\Z)|(?!")[^{mark}\r\n]*+))*+'),
    )


def record_at(text: str, start: int, known: Grammar, *, closed: bool) -> Whole | Broken | None:
    """The record that starts at `start`, a line's start. None: the text ends too early to tell. `closed` says that no
    more text can be had, because the file ends or because a record may not be longer."""
    end = LINE_END.search(text, start)
    line = text[start : end.start() if end else len(text)]
    if '"' not in line:  # ten times as fast as cell by cell
        return Whole(line.split(known.delimiter), line_after(text, start + len(line)), False)
    return _cells_at(text, start, known, closed=closed)


def _cells_at(text: str, start: int, known: Grammar, *, closed: bool) -> Whole | Broken | None:
    cells: list[str] = []
    at, stray = start, False
    while True:
        quoted = QUOTED.match(text, at)
        if quoted is None:
            end = known.end.search(text, at)
            cells.append(text[at : end.start() if end else len(text)])
            at += len(cells[-1])
            stray = stray or '"' in cells[-1]
        elif quoted[2] and _ends_cell(text, quoted.end(), known):
            cells.append(quoted[1].replace('""', '"'))
            at = quoted.end()
        else:
            return _broken(text, quoted, known, start=start, closed=closed)
        if not text.startswith(known.delimiter, at):
            return Whole(cells, line_after(text, at), stray)
        at += 1


def line_after(text: str, at: int) -> int:
    """Where the line behind the one at `at` begins."""
    match = LINE_END.search(text, at)
    if match is None:
        return len(text)
    return match.end() + text.startswith("\r\n", match.start())


def _ends_cell(text: str, at: int, known: Grammar) -> bool:
    return at == len(text) or text[at] in "\r\n" or text[at] == known.delimiter


def _opens_cell(text: str, at: int, known: Grammar) -> bool:
    return at == 0 or text[at - 1] in "\r\n" or text[at - 1] == known.delimiter


def _broken(text: str, cell: re.Match[str], known: Grammar, *, start: int, closed: bool) -> Broken | None:
    quote = cell.start()
    # Good cells before the broken one may span lines: those lines are no rows.
    inside = line_after(text, quote)
    if not cell[2]:
        return Broken(start, quote, "is not closed", inside, len(text)) if closed else None
    wrong = cell.start(2)
    found = text[cell.end()]
    if _opens_cell(text, wrong, known):
        # This quote opens the next cell, so the one before it was never closed, and the lines between are rows.
        return Broken(
            start, quote, "is not closed before another one opens", inside, max(inside, _line_start(text, wrong))
        )
    end = _end_of_cell(text, wrong, known, closed=closed)
    return (
        None if end is None else Broken(start, quote, f"is closed before {found!r}, not before a delimiter", end, end)
    )


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _end_of_cell(text: str, wrong: int, known: Grammar, *, closed: bool) -> int | None:
    """Where the line ends on which a cell with a wrong quote inside seems to end: the next quote that tells decides.
    One at a cell's start on a later line belongs to a new row; one at a cell's end closes the broken cell."""
    line, at = line_after(text, wrong), wrong + 1
    while (quote := text.find('"', at)) >= 0:
        if quote >= line and _opens_cell(text, quote, known):
            return line
        at = quote + 1
        if not _ends_cell(text, at, known):
            continue
        line = line if quote < line else line_after(text, quote)
        rest = known.rest.match(text, at)
        at = rest.end() if rest else at
        if at == len(text) or text[at] in "\r\n":
            return line
    return line if closed else None
