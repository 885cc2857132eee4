"""Reads a delimited file in batches: good blocks with the standard library's csv, the others record by record."""

import csv
import io
from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO

from app.formats.batch_builder import BatchBuilder
from app.formats.counting.blocks import count_records
from app.formats.header import read_header
from app.formats.lines import (
    BLANKS,
    Block,
    count_line_ends,
    find_blank_rows,
    find_next_line,
    is_blank_row,
    is_rest_blank,
    limit_lines,
    read_block,
    read_excerpt,
)
from app.formats.quoting import (
    BrokenRecord,
    DelimiterPatterns,
    ParsedRecord,
    are_quotes_regular,
    compile_patterns,
    find_line_after,
    is_suspicious,
    parse_record,
    split_rows,
)
from app.formats.records import Batch, Dialect, Limits, Position
from app.problems import row_error

# Below csv's own limit for a cell (131,072 characters), so a cell in a block of this size never meets it.
BLOCK_BYTES = 131_072
SAMPLE_ROWS = 20  # that tell whether rows end with a delimiter
COUNTED_BYTES = 32_768  # held at once while rows are counted: as fast as more, and many files are counted at a time


class DelimitedReader:
    """A delimited file whose header has been read. For one thread at a time, because it moves the file's position."""

    def __init__(self, file: BinaryIO, dialect: Dialect, limits: Limits) -> None:
        self._file = file
        self._dialect = dialect
        self._limits = limits
        self._patterns = compile_patterns(dialect.delimiter, dialect.rules)
        # A record within one block of this size cannot exceed any of the limits on length.
        self._block_bytes = min(BLOCK_BYTES, limits.record_bytes, limits.cell_characters)
        self.header, self.first = read_header(file, self._patterns, dialect=dialect, limits=limits)
        self.rows_end_with_delimiter = dialect.rows_end_with_delimiter
        if self.rows_end_with_delimiter is None:
            self.rows_end_with_delimiter = dialect.rules > 1 and self._do_rows_end_with_delimiter()
        if self.rows_end_with_delimiter:
            self.header = (*self.header, "")

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        """The records from `start` on. A batch has more than `max_rows` only if a broken quote makes the lines after it
        suspect: those stay together, at most `Limits.record_bytes` of them."""
        batch = Batch(start, start)
        builder = BatchBuilder(batch, columns=len(self.header), limits=self._limits, encoding=self._dialect.encoding)
        while (rows_left := max_rows - (batch.end.row - start.row)) > 0:
            bytes_left = max_bytes - (batch.end.offset - start.offset)
            if bytes_left <= 0 or not self._read_on(builder, rows_left, bytes_left):
                break
        batch.last = is_rest_blank(self._file, batch.end.offset)
        return batch

    def count(self) -> int:
        total, at = 0, self.first
        while True:
            block = read_block(self._file, at.offset, min(self._block_bytes, COUNTED_BYTES))
            if block.data:
                records = count_records(block.data, self._patterns)
                if records is not None:
                    total, at = total + records, Position(at.offset + len(block.data))
                    continue
            batch = self.read(Position(at.offset), max_rows=COUNTED_BYTES, max_bytes=max(1, len(block.data)))
            total, at = total + batch.end.row, batch.end
            if batch.last:
                return total

    def _do_rows_end_with_delimiter(self) -> bool:
        """Whether each of the first rows, of at least two, has one cell too many, which is last and empty. In a single
        row it may be one of several mistakes, and cutting it off could leave the others in the wrong columns."""
        batch = self.read(self.first, max_rows=SAMPLE_ROWS, max_bytes=self._block_bytes)
        if batch.records or len(batch.unreadable) < 2:
            return False
        width = len(self.header) + 1
        return all(
            row.code == "extra_cell" and len(row.cells) == width and not row.cells[-1].strip(BLANKS)
            for row in batch.unreadable
        )

    def _read_on(self, builder: BatchBuilder, max_rows: int, max_bytes: int) -> bool:
        """Reads at least one line. False at the end of the file."""
        offset = builder.batch.end.offset
        block = read_block(self._file, offset, min(self._block_bytes, max_bytes))
        if block.ends_file and not block.data:
            return False
        if (
            _skip_blank_block(builder, block)
            or self._read_good_block(builder, block, max_rows)
            or self._read_records(builder, block, max_rows)
        ):
            return True
        # The first record may end beyond the block. It alone is read from a whole block, or as long as a record may be.
        longest = self._limits.record_bytes
        for size in (self._block_bytes, longest):
            if self._read_records(builder, read_block(self._file, offset, size), 1, complete=size == longest):
                return True
        self._skip_long_record(builder)
        return True

    def _read_good_block(self, builder: BatchBuilder, block: Block, max_rows: int) -> bool:
        """Reads the first lines of the block, up to a record that csv refuses or that ends beyond them. False if any of
        these records has something wrong with it; then none has been added."""
        data = limit_lines(block.data, max_rows)
        text = _decode_storable(data)
        if text is None:
            return False
        parts = text.split('"')
        rows = split_rows(text, parts, self._dialect.delimiter, len(self.header))
        if rows is None:
            return self._parse_lines(builder, data, text, parts, max_rows)
        builder.add_records(rows, range(builder.line, builder.line + len(rows)), next_line=builder.line + len(rows))
        builder.end_at(builder.batch.end.offset + len(data))
        return True

    def _parse_lines(
        self, builder: BatchBuilder, data: bytes, decoded: str, parts: Sequence[str], max_rows: int
    ) -> bool:
        """The same for lines that only csv can read. `decoded` is their text, and `parts` that text split at its
        quotes."""
        delimiter, old = self._dialect.delimiter, self._dialect.rules == 1
        text, records, ends = _parse_records(decoded, delimiter, max_rows)
        *lines, next_line = (builder.line + end for end in ends)
        blank = set() if old else find_blank_rows(text, records, ends, delimiter)
        first_blank = lines[min(blank)] if blank else 0
        if blank or not all(records):
            rows = [index for index, record in enumerate(records) if record and index not in blank]
            records, lines = [records[index] for index in rows], [lines[index] for index in rows]
        if not text or not {len(self.header)}.issuperset(map(len, records)):
            return False
        if len(text) < len(decoded):
            parts = text.split('"')
        if (
            not old
            and not are_quotes_regular(parts, (delimiter, "\r", "\n"))
            and is_suspicious(text, records, self._patterns)
        ):
            return False
        if blank:
            builder.add_blank_rows(len(blank), first_blank)
        builder.add_records(records, lines, next_line=next_line)
        builder.end_at(builder.batch.end.offset + (len(data) if len(text) == len(decoded) else _count_bytes(text)))
        return True

    def _read_records(self, builder: BatchBuilder, block: Block, max_rows: int, *, complete: bool = False) -> bool:
        """Reads the block record by record; False if not even one can be read. `complete`: the block begins with a
        record and is as long as a record may be."""
        text = block.data.decode("utf-8", "surrogateescape")
        at, last_row = 0, builder.row + max_rows
        while at < len(text) and builder.row < last_row:
            if text[at] in "\r\n":
                at = find_line_after(text, at)
                builder.line += 1
                continue
            if self._skip_blank_row(builder, text, at):
                at = find_line_after(text, at)
                continue
            record = parse_record(text, at, self._patterns, complete=complete or block.ends_file)
            if record is None:
                break
            if isinstance(record, ParsedRecord):
                builder.add_record(
                    record.cells,
                    text[at : record.end],
                    stray_quotes=record.stray_quotes if self._dialect.rules > 1 else 0,
                )
                builder.line += _count_lines(text[at : record.end])
            else:
                _add_broken_record(builder, text, record, patterns=self._patterns)
            at = record.end
        builder.end_at(builder.batch.end.offset + _count_bytes(text[:at]))
        return at > 0

    def _skip_blank_row(self, builder: BatchBuilder, text: str, at: int) -> bool:
        delimiter = self._dialect.delimiter
        if self._dialect.rules == 1 or (text[at] != delimiter and text[at] not in BLANKS):
            return False
        if not is_blank_row(text[at : find_line_after(text, at)], delimiter):
            return False
        builder.add_blank_rows(1, builder.line)
        builder.line += 1
        return True

    def _skip_long_record(self, builder: BatchBuilder) -> None:
        offset, limit = builder.batch.end.offset, self._limits.record_bytes
        text = read_excerpt(self._file, offset, limit)
        builder.add_unreadable(row_error("record_too_long", limit=limit), text)
        builder.line += 1
        builder.end_at(find_next_line(self._file, offset))


def _parse_records(text: str, delimiter: str, count: int) -> tuple[str, list[list[str]], list[int]]:
    """The first records that csv reads, up to one that it refuses: their text, their cells, and how many lines end
    before each of them and in all. A blank line is a record without cells."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records, ends = [], [0]
    try:
        for record in islice(reader, count):
            records.append(record)
            ends.append(reader.line_num)
        return text[: lines.tell()], records, ends
    except csv.Error:
        lines.seek(0)
        return "".join(islice(lines, ends[-1])), records, ends


def _skip_blank_block(builder: BatchBuilder, block: Block) -> bool:
    if not block.data or block.data.strip(b"\r\n"):
        return False
    builder.line += count_line_ends(block.data)
    builder.end_at(builder.batch.end.offset + len(block.data))
    return True


def _add_broken_record(builder: BatchBuilder, text: str, record: BrokenRecord, *, patterns: DelimiterPatterns) -> None:
    """The record's first line fails because of its quote. The lines that follow, up to the record's end, are looked at
    one by one."""
    quote_line = builder.line + _count_line_ends(text[record.start : record.quote])
    next_line = find_line_after(text, record.start)
    reason = f"The quote that opens on line {quote_line} {record.reason}"
    builder.add_unreadable(row_error("quote_error", reason=reason), text[record.start : next_line])
    builder.line += 1
    while next_line < record.end:
        at, next_line = next_line, find_line_after(text, next_line)
        line = text[at:next_line]
        if line[0] in "\r\n":
            pass  # a blank line is not a row
        elif next_line <= record.inside:
            builder.add_unreadable(row_error("after_quote_error", line=quote_line), line)
        elif patterns.rules > 1 and is_blank_row(line, patterns.delimiter):
            builder.add_blank_rows(1, builder.line)
        else:
            _add_suspect_line(builder, line, quote_line, patterns=patterns)
        builder.line += 1


def _add_suspect_line(builder: BatchBuilder, line: str, quote_line: int, *, patterns: DelimiterPatterns) -> None:
    record = parse_record(line, 0, patterns, complete=True)
    if isinstance(record, ParsedRecord) and not record.stray_quotes:
        builder.add_record(record.cells, line, broken_quote_line=quote_line)
    else:
        builder.add_unreadable(row_error("after_quote_error", line=quote_line), line)


def _decode_storable(data: bytes) -> str | None:
    """The bytes as text; None if they contain NUL or are not UTF-8."""
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _count_line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _count_lines(text: str) -> int:
    """The last line need not have an end."""
    return _count_line_ends(text) + (not text.endswith(("\n", "\r")))
