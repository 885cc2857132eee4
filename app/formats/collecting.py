"""What a record of a delimited file becomes: a row of the batch, or an unreadable one with the reason."""

import re
from collections.abc import Sequence

from app.formats.records import Batch, Limits, Position, UnreadableRow
from app.problems import PROBLEMS, RowError

RAW_SHOWN = 1_024  # characters that are kept of a record too long to be read, whatever the limits
# NUL, lone surrogates, and the bytes that are not UTF-8 as `surrogateescape` shows them.
BAD = re.compile("[\0\ud800-\udfff]")
BYTE = re.compile("[\0\udc80-\udcff]")
# A lone surrogate written in UTF-8 as if it were a character: three bytes that are not UTF-8.
SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")


class Collector:
    """Fills a batch and keeps count of rows and lines. Text comes decoded with `surrogateescape`."""

    def __init__(self, batch: Batch, *, columns: int, limits: Limits, encoding: str) -> None:
        self.batch = batch
        self.line = batch.end.line
        self.row = batch.end.row
        self._columns = columns
        self._limits = limits
        self._encoding = encoding

    def take(self, cells: list[str], raw: str, *, broken_since: int | None = None) -> None:
        """One record whose cells could be told apart; `broken_since` when it follows a broken quote on that line."""
        verdict = self._verdict(cells, raw)
        if verdict is None:
            self.row += 1
            self.batch.records.append(cells)
            self.batch.rows.append(self.row)
            self.batch.lines.append(self.line)
        elif broken_since is None:
            self.fail(verdict, raw, cells)
        else:
            self.fail(fallout(broken_since), raw, cells)

    def extend(self, records: list[list[str]], lines: list[int], *, line: int) -> None:
        """Good records and the lines on which they start; `line` is the one after them."""
        self.batch.records.extend(records)
        self.batch.rows.extend(range(self.row + 1, self.row + 1 + len(records)))
        self.batch.lines.extend(lines)
        self.row += len(records)
        self.line = line

    def fail(self, verdict: RowError, raw: str, cells: Sequence[str] = ()) -> None:
        self.row += 1
        told_apart = tuple(storable(cell) for cell in cells[: self._limits.columns])
        text = kept(raw, self._limits.raw_characters)
        self.batch.unreadable.append(UnreadableRow(self.row, self.line, *verdict, told_apart, text))

    def end(self, offset: int) -> None:
        """The next record begins at this byte."""
        self.batch.end = Position(offset, self.line, self.row)

    def _verdict(self, cells: list[str], raw: str) -> RowError | None:
        bad = BAD.search(raw)
        if bad:
            return bad_character(raw, bad.start(), self._encoding)
        limit = self._limits.cell_characters
        if len(raw) > limit and max(map(len, cells)) > limit:
            return "cell_too_long", PROBLEMS["cell_too_long"].format(limit=limit)
        if len(cells) == self._columns:
            return None
        code = "missing_cell" if len(cells) < self._columns else "extra_cell"
        return code, PROBLEMS[code].format(found=len(cells), expected=self._columns)


def fallout(line: int) -> RowError:
    """The verdict on a row that follows a quote broken on `line`."""
    return "after_quote_error", PROBLEMS["after_quote_error"].format(line=line)


def bad_character(raw: str, at: int, encoding: str) -> RowError:
    """What is wrong with the character at `at`: a NUL, a lone surrogate or a byte that is not text."""
    lone = SURROGATE.match(raw, at)
    if lone:
        point = 0xD000 + ((ord(raw[at + 1]) & 0x3F) << 6) + (ord(raw[at + 2]) & 0x3F)
        return "invalid_character", PROBLEMS["invalid_character"].format(character=f"U+{point:04X}")
    if raw[at] == "\0":
        return "invalid_character", PROBLEMS["invalid_character"].format(character="U+0000")
    byte = f"0x{ord(raw[at]) - 0xDC00:02X}"
    return "encoding_error", PROBLEMS["encoding_error"].format(byte=byte, position=at + 1, encoding=encoding)


def kept(raw: str, limit: int | None) -> str:
    """What stays of an unreadable record's text, at most so many characters (None: all of it)."""
    return storable(raw[:limit].rstrip("\r\n"))[:limit]


def storable(text: str) -> str:
    """The same text with what cannot be stored spelled out, as `\\x00` or `\\xe9`: only for the report of a bad row."""
    if not BAD.search(text):
        return text
    spelled = BYTE.sub(lambda byte: f"\\x{ord(byte[0]) & 0xFF:02x}", text)
    return spelled.encode("utf-8", "backslashreplace").decode()
