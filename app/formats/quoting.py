"""Parses one record of delimited text strictly by RFC 4180, and limits the damage of a broken quote.

Good text is read by the standard library's csv module. This module is for text that csv refuses. It knows where every
cell begins and which quote is wrong, and it decides which of the lines after a broken quote are rows of their own and
which are the rest of the broken cell:

    1,"a            <- the quote is never closed: this row is lost
    2,b             <- a row of its own
    3,"say "hi" so  <- the quote is closed too early: this row is lost,
    4,d"            <- and so is this line, because the cell seems to end here
    5,e             <- a row of its own

A quote inside an unquoted cell is text (`5" steel`). In two cells of a row it is more likely that a delimiter is
missing before a quoted cell that holds another (`a "Long, Jr.",b`): such a row may be shifted and is not stored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import AnyStr, NamedTuple

from app.formats.records import READING_RULES

LINE_END = re.compile("[\r\n]")
# A quoted cell, from its opening quote on. Group 2 is the closing quote; it is empty if the text ends inside the cell.
QUOTED_CELL = re.compile(r'"([^"]*+(?:""[^"]*+)*+)("?)')
# Characters that cannot be seen in backticks, and the backtick itself, as messages call them.
FOLLOWERS = {"\t": "a tab", " ": "a space", "`": "a backtick"}


# The text in a formula for text: ="00123".
_is_text_formula = re.compile(r'="(?:[^"]|"")*"').fullmatch


# Named tuples, because one is made for every record: a frozen dataclass takes four times as long.
class ParsedRecord(NamedTuple):
    """A record's cells. `end` is where the next line begins. `stray_quotes`: how many unquoted cells contain a quote,
    without formulas for text."""

    cells: list[str]
    end: int
    stray_quotes: int


class UnquotedCell(NamedTuple):
    text: str
    end: int
    stray_quote: bool


class BrokenRecord(NamedTuple):
    """A record with a broken quote. All numbers are offsets in the text.

    The record's first line is lost. Of the lines that follow, up to `end`, those that end by `inside` belong to the
    broken cell; the others may be rows and have to be looked at one by one."""

    start: int
    quote: int  # where the broken quote opens
    reason: str  # continues a sentence that begins "The quote that opens on line 3"
    inside: int
    end: int


@dataclass(frozen=True, slots=True)
class DelimiterPatterns:
    """The delimiter, and the patterns that depend on it. `rules` are those of the dialect."""

    delimiter: str
    rules: int
    cell_end: re.Pattern[str]  # what ends an unquoted cell
    good_cells: re.Pattern[str]  # the cells that follow on the same line, as far as they are well formed
    blank_and_quote: re.Pattern[str]  # the beginning of a cell
    quoted_after_blank: re.Pattern[str]  # such a cell up to the blanks behind its closing quote, or to the line's end
    whole_cells: re.Pattern[str]  # cells that are quoted, or formulas for text, in text that csv accepts


@cache
def compile_patterns(delimiter: str, rules: int = READING_RULES) -> DelimiterPatterns:
    mark = re.escape(delimiter)
    quoted = r'"[^"\r\n]*+(?:""[^"\r\n]*+)*+"'
    text, cell_end = rf'(?:[^"{mark}\r\n]|"")*+', rf"(?=[{mark}\r\n]|\Z)"
    return DelimiterPatterns(
        delimiter,
        rules,
        re.compile(rf"[{mark}\r\n]"),
        re.compile(rf'(?:{mark}(?:{quoted}{cell_end}|(?!")[^{mark}\r\n]*+))*+'),
        # A blank is found faster than the beginning of a cell.
        re.compile(rf' (?<![^{mark}\r\n] ) *+"'),
        re.compile(r' +"([^"\r\n]*+(?:""[^"\r\n]*+)*+)("?)( *)'),
        # A cell begins where a delimiter or a line end is before it; looking back comes last, because it is slower.
        re.compile(rf'"(?<![^{mark}\r\n]")[^"]*+(?:""[^"]*+)*+"{cell_end}|="(?<![^{mark}\r\n]=")(?:{text})"{cell_end}'),
    )


def split_rows(text: str, parts: Sequence[str], delimiter: str, columns: int) -> list[tuple[str, ...]] | None:
    """The cells of whole lines, provided that each is a row with so many cells, and that no cell is quoted, or all are
    and none has a quote or a line end inside; else None. `parts` is the text split at its quotes. It takes half the
    time of csv."""
    line_end, count = "\n", text.count("\n")
    if "\r" in text:
        if not text.count("\r") == text.count("\r\n") == count:
            return None
        line_end = "\r\n"
    count += not text.endswith("\n")
    if len(parts) == 1:
        rows = [tuple(line.split(delimiter)) for line in text.removesuffix(line_end).split(line_end)]
        # A row whose first cell is blank may be blank altogether, and no row.
        fit = {columns}.issuperset(map(len, rows)) and all(map(str.strip, map(itemgetter(0), rows)))
        return rows if fit else None
    if len(parts) != 2 * columns * count + 1:
        return None
    outside, cells = [*parts[:-1:2], parts[-1] or line_end], iter(parts[1::2])
    fit = outside == ["", *[*[delimiter] * (columns - 1), line_end] * count]
    return list(zip(*[cells] * columns, strict=True)) if fit else None


def are_quotes_regular(parts: Sequence[AnyStr], ends: tuple[AnyStr, ...]) -> bool:
    """Whether every quote of a text opens a cell at its beginning, closes one at its end, or is doubled inside one.
    `parts` is the text split at its quotes, and `ends` has what a cell may end with: the delimiter, CR and LF."""
    if len(parts) % 2 == 0:
        return False
    # What is outside of quoted cells; an empty one is between the two of a doubled quote.
    first, last, between = parts[0], parts[-1], set(parts[2:-1:2])
    if len(parts) > 1 and ((first and not first.endswith(ends)) or (last and not last.startswith(ends))):
        return False
    return all(part.startswith(ends) and part.endswith(ends) for part in between if part)


def is_suspicious(text: str, records: Sequence[Sequence[str]], patterns: DelimiterPatterns) -> bool:
    """Whether text that csv accepts, and read as these records, has stray quotes in two cells of a row, or a blank
    before a quoted cell. Then it takes a closer look."""
    if begins_with_blank_and_quote(text, records, patterns):
        return True
    return any(map(_has_quotes_in_two_cells, records)) and _has_two_stray_quotes(text, patterns)


def begins_with_blank_and_quote(text: str, records: Sequence[Sequence[str]], patterns: DelimiterPatterns) -> bool:
    """Whether any cell does. The pattern alone may have matched inside a quoted cell."""
    if ' "' not in text or not patterns.blank_and_quote.search(text):
        return False
    return any(cell.startswith(" ") and cell.lstrip(" ").startswith('"') for record in records for cell in record)


def _has_quotes_in_two_cells(record: Sequence[str]) -> bool:
    row = "\0".join(record)  # text that csv reads here has no NUL
    return '"' in row and "\0" in row[row.find('"') : row.rfind('"')]


def _has_two_stray_quotes(text: str, patterns: DelimiterPatterns) -> bool:
    rest = patterns.whole_cells.sub("", text)
    if '"' not in rest:
        return False
    lines = rest.replace("\r", "\n").split("\n")
    return any(patterns.delimiter in line[line.find('"') : line.rfind('"')] for line in lines if '"' in line)


def parse_record(
    text: str, start: int, patterns: DelimiterPatterns, *, complete: bool
) -> ParsedRecord | BrokenRecord | None:
    """The record that begins at `start`, which is the beginning of a line. None: more text is needed.

    `complete` says that there is no more text, because the file ends or a record may not be longer."""
    end = LINE_END.search(text, start)
    line = text[start : end.start() if end else len(text)]
    if '"' not in line:  # ten times as fast as cell by cell
        return ParsedRecord(line.split(patterns.delimiter), find_line_after(text, start + len(line)), 0)
    return _parse_cells(text, start, patterns, complete=complete)


def find_line_after(text: str, at: int) -> int:
    """Where the line after the one that contains `at` begins."""
    match = LINE_END.search(text, at)
    if match is None:
        return len(text)
    return match.end() + text.startswith("\r\n", match.start())


def _parse_cells(
    text: str, start: int, patterns: DelimiterPatterns, *, complete: bool
) -> ParsedRecord | BrokenRecord | None:
    cells: list[str] = []
    at, stray_quotes = start, 0
    while True:
        quoted = QUOTED_CELL.match(text, at)
        if quoted is None:
            cell = _parse_unquoted_cell(text, at, patterns, start=start)
            if isinstance(cell, BrokenRecord):
                return cell
            cells.append(cell.text)
            at = cell.end
            stray_quotes += cell.stray_quote
        elif quoted[2] and _is_cell_end(text, quoted.end(), patterns):
            cells.append(quoted[1].replace('""', '"'))
            at = quoted.end()
        elif quoted[2]:
            return _blame_closing_quote(text, quoted, patterns, start=start, complete=complete)
        elif complete:
            quote = quoted.start()
            return BrokenRecord(start, quote, "is never closed", find_line_after(text, quote), len(text))
        else:
            return None
        if not text.startswith(patterns.delimiter, at):
            return ParsedRecord(cells, find_line_after(text, at), stray_quotes)
        at += 1


def _parse_unquoted_cell(text: str, at: int, patterns: DelimiterPatterns, *, start: int) -> UnquotedCell | BrokenRecord:
    """A cell that does not begin with a quote. With only blanks before the quote it is quoted after all, and has to be
    closed on its line, because nobody knows how much a text such as ` "big" one` would swallow."""
    if patterns.rules > 1 and text.startswith(" ", at):
        quoted = patterns.quoted_after_blank.match(text, at)
        if quoted is not None and _is_cell_end(text, quoted.end(), patterns):
            return _read_after_blank(text, quoted, start=start)
    cell_end = patterns.cell_end.search(text, at)
    cell = text[at : cell_end.start() if cell_end else len(text)]
    return UnquotedCell(cell, at + len(cell), '"' in cell and not _is_text_formula(cell))


def _read_after_blank(text: str, cell: re.Match[str], *, start: int) -> UnquotedCell | BrokenRecord:
    if cell[2] and not cell[3]:
        return UnquotedCell(cell[1].replace('""', '"'), cell.end(), False)
    quote, line_end = cell.start(1) - 1, find_line_after(text, cell.end())
    problem = "a blank behind its closing quote" if cell[2] else "is not closed on its line"
    return BrokenRecord(start, quote, f"has a blank before it and {problem}", line_end, line_end)


def _blame_closing_quote(
    text: str, cell: re.Match[str], patterns: DelimiterPatterns, *, start: int, complete: bool
) -> BrokenRecord | None:
    """What is broken when the quote that closes `cell` is not followed by the end of a cell."""
    quote, closing, follower = cell.start(), cell.start(2), describe_follower(text[cell.end()])
    # Good cells before the broken one may span lines. Those lines are not rows.
    inside = find_line_after(text, quote)
    if _is_cell_start(text, closing, patterns):
        # The quote really opens the next cell. The cell before it was never closed, and the lines between are rows.
        reason = "is not closed before the next quoted cell begins"
        return BrokenRecord(start, quote, reason, inside, max(inside, _find_line_start(text, closing)))
    end = _find_broken_cell_end(text, closing, patterns, complete=complete)
    if end is None:
        return None
    reason = f"is closed too early: it is followed by {follower} instead of a delimiter"
    return BrokenRecord(start, quote, reason, end, end)


def describe_follower(character: str) -> str:
    if character in FOLLOWERS:
        return FOLLOWERS[character]
    return f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"


def _find_broken_cell_end(text: str, closing: int, patterns: DelimiterPatterns, *, complete: bool) -> int | None:
    """Where the line ends on which a cell with a wrong quote at `closing` seems to end. None: more text is needed.

    The next quote that is unmistakable decides: one that opens a cell on a later line begins a new row, and one that
    stands at the end of a cell closes the broken cell. Without such a quote the cell ends with its line."""
    line_end, at = find_line_after(text, closing), closing + 1
    while (quote := text.find('"', at)) >= 0:
        if quote >= line_end and _is_cell_start(text, quote, patterns):
            return line_end
        at = quote + 1
        if not _is_cell_end(text, at, patterns):
            continue
        line_end = line_end if quote < line_end else find_line_after(text, quote)
        good_cells = patterns.good_cells.match(text, at)
        at = good_cells.end() if good_cells else at
        if at == len(text) or text[at] in "\r\n":
            return line_end
    return line_end if complete else None


def _is_cell_end(text: str, at: int, patterns: DelimiterPatterns) -> bool:
    return at == len(text) or text[at] in "\r\n" or text[at] == patterns.delimiter


def _is_cell_start(text: str, at: int, patterns: DelimiterPatterns) -> bool:
    return at == 0 or text[at - 1] in "\r\n" or text[at - 1] == patterns.delimiter


def _find_line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
