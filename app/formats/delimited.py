"""A delimited file as batches of rows: good blocks by the standard library's csv, others record by record."""

import csv
import io
from itertools import islice
from typing import BinaryIO

from app.formats.collecting import RAW_SHOWN, Collector, fallout
from app.formats.header import read_header
from app.formats.lines import Block, block_at, count_lines, next_line, only_blank, start_of
from app.formats.quoting import Broken, Grammar, Whole, grammar, line_after, record_at
from app.formats.records import Batch, Dialect, Limits, Position
from app.problems import PROBLEMS

# Below csv's own limit for a cell (131,072 characters), so a cell in a block of this size never meets it.
BLOCK = 131_072
COUNTING = 20_000  # rows held at once while counting a block that has something wrong


class DelimitedReader:
    """A delimited file whose header has been read. One thread at a time: it moves the file's position."""

    def __init__(self, file: BinaryIO, dialect: Dialect, limits: Limits) -> None:
        self._file = file
        self._dialect = dialect
        self._limits = limits
        self._grammar = grammar(dialect.delimiter)
        # A record inside one block can then break none of the limits on length.
        self._block = min(BLOCK, limits.record_bytes, limits.cell_characters)
        self.header, self.first = read_header(file, self._grammar, dialect=dialect, limits=limits)

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        """A batch holds more than `max_rows` only when a broken quote makes the lines after it suspect: those stay
        together, at most `Limits.record_bytes` of them."""
        batch = Batch(start, start)
        into = Collector(batch, columns=len(self.header), limits=self._limits, encoding=self._dialect.encoding)
        while (rows := max_rows - (batch.end.row - start.row)) > 0:
            left = max_bytes - (batch.end.offset - start.offset)
            if left <= 0 or not self._step(into, rows, left):
                break
        batch.last = only_blank(self._file, batch.end.offset)
        return batch

    def count(self) -> int:
        total, at = 0, self.first
        while True:
            block = block_at(self._file, at.offset, self._block)
            if block.data:
                found = _count(block.data, self._dialect.delimiter)
                if found is not None:
                    total, at = total + found, Position(at.offset + len(block.data))
                    continue
            batch = self.read(Position(at.offset), max_rows=COUNTING, max_bytes=max(1, len(block.data)))
            total, at = total + batch.end.row, batch.end
            if batch.last:
                return total

    def _step(self, into: Collector, rows: int, left: int) -> bool:
        """Takes at least one line; False at the end of the file."""
        offset = into.batch.end.offset
        block = block_at(self._file, offset, min(self._block, left))
        if block.ended and not block.data:
            return False
        if _take_blank(into, block) or self._take_good(into, block, rows) or self._take_each(into, block, rows):
            return True
        # The first record may end beyond the block: it alone is taken from as much as a record may have.
        block = block_at(self._file, offset, self._limits.record_bytes)
        if not self._take_each(into, block, 1, closed=True):
            self._skip_line(into)
        return True

    def _take_good(self, into: Collector, block: Block, rows: int) -> bool:
        """The block by csv, up to the first record that it cannot read or that has not ended yet. False, and nothing
        taken, when there is anything to be said about a row."""
        text = _clean_text(block.data)
        if text is None:
            return False
        stream = io.StringIO(text, newline="")
        reader = csv.reader(stream, delimiter=self._dialect.delimiter, strict=True)
        records: list[list[str]] = []
        lines: list[int] = []
        first, before, end = into.line, 0, 0
        try:
            for record in islice(reader, rows):
                if record:
                    records.append(record)
                    lines.append(first + before)
                before = reader.line_num
                end = stream.tell()
        except csv.Error:
            pass
        if not end or not {len(self.header)}.issuperset(map(len, records)):
            return False
        into.extend(records, lines, line=first + before)
        into.end(into.batch.end.offset + (len(block.data) if end == len(text) else _size(text[:end])))
        return True

    def _take_each(self, into: Collector, block: Block, rows: int, *, closed: bool = False) -> bool:
        """The block record by record. `closed`: it begins with a record and is as long as that may be."""
        text = block.data.decode("utf-8", "surrogateescape")
        at, most = 0, into.row + rows
        while at < len(text) and into.row < most:
            if text[at] in "\r\n":
                at = line_after(text, at)
                into.line += 1
                continue
            record = record_at(text, at, self._grammar, closed=closed or block.ended)
            if record is None:
                break
            if isinstance(record, Whole):
                into.take(record.cells, text[at : record.end])
                into.line += _lines(text[at : record.end])
            else:
                _take_broken(into, text, record, known=self._grammar)
            at = record.end
        into.end(into.batch.end.offset + _size(text[:at]))
        return at > 0

    def _skip_line(self, into: Collector) -> None:
        offset, limit = into.batch.end.offset, self._limits.record_bytes
        raw = start_of(self._file, offset, min(4 * RAW_SHOWN, limit)).decode("utf-8", "surrogateescape")[:RAW_SHOWN]
        into.fail(("record_too_long", PROBLEMS["record_too_long"].format(limit=limit)), raw)
        into.line += 1
        into.end(next_line(self._file, offset))


def _take_blank(into: Collector, block: Block) -> bool:
    if not block.data or block.data.strip(b"\r\n"):
        return False
    into.line += count_lines(block.data)
    into.end(into.batch.end.offset + len(block.data))
    return True


def _take_broken(into: Collector, text: str, record: Broken, *, known: Grammar) -> None:
    """The record's first line fails for its quote; what follows it, up to the record's end, line by line."""
    since = into.line + _ends(text[record.start : record.quote])
    after = line_after(text, record.start)
    reason = f"The quote that opens on line {since} {record.reason}"
    into.fail(("quote_error", PROBLEMS["quote_error"].format(reason=reason)), text[record.start : after])
    into.line += 1
    while after < record.end:
        at, after = after, line_after(text, after)
        line = text[at:after]
        if line[0] in "\r\n":
            pass  # blank, no row
        elif after <= record.inside:
            into.fail(fallout(since), line)
        else:
            _take_suspect(into, line, since, known=known)
        into.line += 1


def _take_suspect(into: Collector, line: str, since: int, *, known: Grammar) -> None:
    record = record_at(line, 0, known, closed=True)
    if isinstance(record, Whole) and not record.stray:
        into.take(record.cells, line, broken_since=since)
    else:
        into.fail(fallout(since), line)


def _count(data: bytes, delimiter: str) -> int | None:
    """How many records these lines hold; None when that takes a closer look."""
    if b'"' not in data:
        return sum(map(bool, data.splitlines()))
    text = data.decode("utf-8", "surrogateescape")
    try:
        return sum(map(bool, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except csv.Error:
        return None


def _clean_text(data: bytes) -> str | None:
    """The bytes as text; None when a byte is not UTF-8 or is NUL."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _lines(text: str) -> int:
    """How many lines this is; the last need not have an end."""
    return _ends(text) + (not text.endswith(("\n", "\r")))
