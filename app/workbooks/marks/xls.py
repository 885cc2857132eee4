"""Marks of a sheet of .xls (MS-XLS §2.1.4: each record has its type, its size and its data)."""

import struct
from collections.abc import Callable, Iterator
from typing import Final

from app.workbooks.formula_errors import ERROR_NAMES, OTHER_ERROR
from app.workbooks.marks.mark import Mark

FORMULA, ERROR_OR_BOOLEAN, SHEET, END = 0x0006, 0x0205, 0x0085, 0x000A  # Formula, BoolErr, BoundSheet8, EOF
BEGIN: Final = (0x0009, 0x0209, 0x0409, 0x0809)  # BOF of each version


def find_marks(stream: bytes, number: int, add: Callable[[Mark], None]) -> None:
    """`stream` is the one with the workbook; `number` is the place of the sheet among all, from 0 on."""
    places = [struct.unpack_from("<I", data)[0] for kind, data in read_records(stream, 0) if kind == SHEET]
    for kind, data in read_records(stream, places[number]) if number < len(places) else ():
        if kind == ERROR_OR_BOOLEAN and len(data) >= 8 and data[7]:
            code = data[6]
        elif kind == FORMULA and len(data) >= 14 and data[12:14] == b"\xff\xff" and data[6] == 2:
            code = data[8]
        else:
            continue
        row, column = struct.unpack_from("<HH", data)
        add(Mark(row, column, ERROR_NAMES.get(code, OTHER_ERROR)))


def read_records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The type and the data of the records of one part, from its beginning to its end, without charts inside."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        depth += (kind in BEGIN) - (kind == END)
        if depth <= 0:
            return
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size
