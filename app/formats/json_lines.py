"""A JSON Lines file as batches of records: one object a line, every number a Decimal with the digits that were sent."""

import json
from collections.abc import Iterator
from decimal import Decimal, DecimalException
from typing import BinaryIO, NoReturn

from app.formats.collecting import BAD, RAW_SHOWN, Verdict, bad_character, storable
from app.formats.lines import LF_END, block_at, next_line, only_blank, start_of
from app.formats.records import Batch, Dialect, Limits, Position, Unreadable
from app.problems import PROBLEMS, shown

BLOCK = 131_072
BLANK = b" \t\r\n"


def open_json_lines(file: BinaryIO, dialect: Dialect, limits: Limits) -> "JsonLinesReader":
    return JsonLinesReader(file, dialect, limits)


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
        for data, end in self._lines(start.offset):
            if row - start.row >= max_rows or offset - start.offset >= max_bytes:
                break
            if data is None or data.strip(BLANK):
                row += 1
                self._take(batch, data, at=Position(offset, line, row))
            offset, line = end, line + 1
        batch.end = Position(offset, line, row)
        batch.last = self._nothing_follows(offset)
        return batch

    def count(self) -> int:
        total, offset = 0, 0
        while True:
            block = self._block(offset)
            if block.data:
                total += sum(map(bool, map(bytes.strip, block.data.split(b"\n"))))
                offset += len(block.data)
            elif block.ended:
                return total
            else:
                offset, blank = self._long_line(offset)
                total += not blank
