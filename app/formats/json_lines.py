"""A JSON Lines file as batches of records: one object a line, every number a Decimal with the digits that were sent."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from app.formats.collecting import BAD, RAW_SHOWN, bad_character, kept
from app.formats.json_object import read_object
from app.formats.lines import LF_END, block_at, next_line, only_blank, start_of
from app.formats.records import Batch, Dialect, Limits, Position, Unreadable
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
        offset, line, row = start.offset, start.line, start.row
        for data, end, lines in self._lines(start.offset):
            if row - start.row >= max_rows or offset - start.offset >= max_bytes:
                break
            if data is None or data.strip(BLANK):
                row += 1
                self._take(batch, data, at=Position(offset, line, row))
            offset, line = end, line + lines
        batch.end = Position(offset, line, row)
        batch.last = only_blank(self._file, offset, blank=BLANK)
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
            found = bad_character(raw, bad.start(), self._encoding) if bad else read_object(raw, self._limits.depth)
            if isinstance(found, dict):
                batch.records.append(found)
                batch.rows.append(at.row)
                batch.lines.append(at.line)
                return
            verdict = found
        batch.unreadable.append(Unreadable(at.row, at.line, *verdict, (), kept(raw, self._limits.raw_characters)))
