"""A JSON Lines file as batches of records: one object a line, every number a Decimal with the digits that were sent."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from app.formats.collecting import BAD, RAW_SHOWN, bad_character, kept
from app.formats.json_object import parse_object, parse_plain_objects
from app.formats.lines import LF_END, block_at, next_line, only_blank, start_of
from app.formats.records import Batch, Dialect, Limits, Position, UnreadableRow
from app.problems import PROBLEMS

BLOCK = 131_072
BLANK = b" \t\r\n"


class JsonLinesReader:
    """One thread at a time: it moves the file's position."""

    def __init__(self, file: BinaryIO, dialect: Dialect, limits: Limits) -> None:
        self.header: tuple[str, ...] = ()
        self.first = Position()
        self._file = file
        self._encoding = dialect.encoding
        self._limits = limits

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        batch = Batch(start, start)
        until = Position(start.offset + max_bytes, row=start.row + max_rows)
        while batch.end.offset < until.offset and batch.end.row < until.row:
            block = block_at(self._file, batch.end.offset, min(BLOCK, self._limits.record_bytes), ends=LF_END)
            if block.ended and not block.data:
                break
            lines = _within(block.data, until.offset - batch.end.offset, until.row - batch.end.row)
            if not self._take_plain(batch, lines):
                self._take_each(batch, batch.end.offset + len(lines), until)
        batch.last = only_blank(self._file, batch.end.offset, blank=BLANK)
        return batch

    def count(self) -> int:
        return sum(1 for data, _, _ in self._lines(0) if data is None or data.strip(BLANK))

    def _lines(self, offset: int) -> Iterator[tuple[bytes | None, int, int]]:
        """Every line, where it ends, and 1; None in place of one that is too long; many blank lines at once."""
        limit = self._limits.record_bytes
        while True:
            block = block_at(self._file, offset, min(BLOCK, limit), ends=LF_END)
            if not block.data and not block.ended:
                block = block_at(self._file, offset, limit, ends=LF_END)
            if block.data and not block.data.strip(BLANK):
                offset += len(block.data)
                yield b"", offset, block.data.count(b"\n")
                continue
            for line in io.BytesIO(block.data):
                offset += len(line)
                yield line, offset, 1
            if block.ended:
                return
            if not block.data:
                end = next_line(self._file, offset, ends=LF_END)
                blank = only_blank(self._file, offset, until=end, blank=BLANK)
                offset = end
                yield b"" if blank else None, offset, 1

    def _take_plain(self, batch: Batch, lines: bytes) -> bool:
        """Whether these lines could be taken all at once."""
        found = parse_plain_objects(lines, self._limits.depth) if lines else None
        if not found:
            return False
        at, count = batch.end, len(found)
        batch.records += found
        batch.rows += range(at.row + 1, at.row + 1 + count)
        batch.lines += range(at.line, at.line + count)
        batch.end = Position(at.offset + len(lines), at.line + count, at.row + count)
        return True

    def _take_each(self, batch: Batch, end: int, until: Position) -> None:
        """Line by line up to the offset `end`; at least one, should it be longer than a block."""
        offset, line, row = batch.end.offset, batch.end.line, batch.end.row
        for data, behind, lines in self._lines(offset):
            if data is None or data.strip(BLANK):
                row += 1
                self._take(batch, data, at=Position(offset, line, row))
            offset, line = behind, line + lines
            if offset >= min(end, until.offset) or row >= until.row:
                break
        batch.end = Position(offset, line, row)

    def _take(self, batch: Batch, data: bytes | None, *, at: Position) -> None:
        """The line of record `at.row`, which stands at that position."""
        if data is None:
            limit = self._limits.record_bytes
            raw = start_of(self._file, at.offset, min(4 * RAW_SHOWN, limit)).decode("utf-8", "surrogateescape")[
                :RAW_SHOWN
            ]
            verdict = "record_too_long", PROBLEMS["record_too_long"].format(limit=limit)
        else:
            raw = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
            bad = BAD.search(raw)
            found = bad_character(raw, bad.start(), self._encoding) if bad else parse_object(raw, self._limits.depth)
            if isinstance(found, dict):
                batch.records.append(found)
                batch.rows.append(at.row)
                batch.lines.append(at.line)
                return
            verdict = found
        batch.unreadable.append(UnreadableRow(at.row, at.line, *verdict, (), kept(raw, self._limits.raw_characters)))


def _within(data: bytes, size: int, count: int) -> bytes:
    """Those of whole lines that begin within so many bytes, and at most so many lines."""
    if len(data) > size:
        data = data[: data.find(b"\n", size - 1) + 1] or data
    rest = data.split(b"\n", count)
    return data[: len(data) - len(rest[count])] if len(rest) > count else data
