"""Reads a JSON Lines file in batches: one object per line, every number with the digits that were sent."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from app.formats.characters import UNSTORABLE, describe_unstorable, excerpt
from app.formats.json_object import parse_object, parse_plain_objects
from app.formats.lines import LF_LINE_END, find_next_line, is_rest_blank, limit_lines, read_block, read_excerpt
from app.formats.records import Batch, Dialect, Limits, Position, UnreadableRow
from app.problems import row_error

BLOCK_BYTES = 131_072
BLANK = b" \t\r\n"


class JsonLinesReader:
    """A JSON Lines file. For one thread at a time, because it moves the file's position."""

    def __init__(self, file: BinaryIO, dialect: Dialect, limits: Limits) -> None:
        self.header: tuple[str, ...] = ()
        self.first = Position()
        self._file = file
        self._encoding = dialect.encoding
        self._limits = limits

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        batch = Batch(start, start)
        until = Position(start.offset + max_bytes, row=start.row + max_rows)
        block_bytes = min(BLOCK_BYTES, self._limits.record_bytes)
        while batch.end.offset < until.offset and batch.end.row < until.row:
            block = read_block(self._file, batch.end.offset, block_bytes, line_ends=LF_LINE_END)
            if block.ends_file and not block.data:
                break
            lines = _limit_lines(block.data, until.offset - batch.end.offset, until.row - batch.end.row)
            if not self._read_plain_lines(batch, lines):
                self._read_lines(batch, batch.end.offset + len(lines), until)
        batch.last = is_rest_blank(self._file, batch.end.offset, blank=BLANK)
        return batch

    def count(self) -> int:
        return sum(1 for data, _, _ in self._iterate_lines(0) if data is None or data.strip(BLANK))

    def _read_plain_lines(self, batch: Batch, lines: bytes) -> bool:
        """Reads these lines all at once; False, and nothing added, if they have to be read one by one."""
        objects = parse_plain_objects(lines, self._limits.depth) if lines else None
        if not objects:
            return False
        at, count = batch.end, len(objects)
        batch.records += objects
        batch.rows += range(at.row + 1, at.row + 1 + count)
        batch.lines += range(at.line, at.line + count)
        batch.end = Position(at.offset + len(lines), at.line + count, at.row + count)
        return True

    def _read_lines(self, batch: Batch, end: int, until: Position) -> None:
        """Reads line by line up to the offset `end`, but at least one line, even if it is longer than a block."""
        offset, line, row = batch.end.offset, batch.end.line, batch.end.row
        for data, next_offset, lines in self._iterate_lines(offset):
            if data is None or data.strip(BLANK):
                row += 1
                self._read_line(batch, data, at=Position(offset, line, row))
            offset, line = next_offset, line + lines
            if offset >= min(end, until.offset) or row >= until.row:
                break
        batch.end = Position(offset, line, row)

    def _read_line(self, batch: Batch, data: bytes | None, *, at: Position) -> None:
        """The line at that position, which is row `at.row`. None: it is too long."""
        if data is None:
            limit = self._limits.record_bytes
            text = read_excerpt(self._file, at.offset, limit)
            error = row_error("record_too_long", limit=limit)
        else:
            text = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
            bad = UNSTORABLE.search(text)
            depth = self._limits.depth
            parsed = describe_unstorable(text, bad.start(), self._encoding) if bad else parse_object(text, depth)
            if isinstance(parsed, dict):
                batch.records.append(parsed)
                batch.rows.append(at.row)
                batch.lines.append(at.line)
                return
            error = parsed
        batch.unreadable.append(UnreadableRow(at.row, at.line, *error, (), excerpt(text, self._limits.raw_characters)))

    def _iterate_lines(self, offset: int) -> Iterator[tuple[bytes | None, int, int]]:
        """Every line with the offset at which it ends and the number of lines it stands for: 1, or more for a run of
        blank lines, which comes as one empty line. The line is None if it is too long."""
        limit = self._limits.record_bytes
        while True:
            block = read_block(self._file, offset, min(BLOCK_BYTES, limit), line_ends=LF_LINE_END)
            if not block.data and not block.ends_file:
                block = read_block(self._file, offset, limit, line_ends=LF_LINE_END)
            if block.data and not block.data.strip(BLANK):
                offset += len(block.data)
                yield b"", offset, block.data.count(b"\n")
                continue
            for line in io.BytesIO(block.data):
                offset += len(line)
                yield line, offset, 1
            if block.ends_file:
                return
            if not block.data:
                end = find_next_line(self._file, offset, line_ends=LF_LINE_END)
                blank = is_rest_blank(self._file, offset, until=end, blank=BLANK)
                offset = end
                yield b"" if blank else None, offset, 1


def _limit_lines(data: bytes, max_bytes: int, max_lines: int) -> bytes:
    """The first of these whole lines: those that begin within `max_bytes`, at most `max_lines`."""
    if len(data) > max_bytes:
        data = data[: data.find(b"\n", max_bytes - 1) + 1] or data
    return limit_lines(data, max_lines)
