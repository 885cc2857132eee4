"""Marks of a sheet of .xlsb (MS-XLSB §2.1.4: each record has its type, its size and its data)."""

import struct
from collections.abc import Callable, Iterator
from typing import IO, Final

from app.workbooks.formula_errors import ERROR_NAMES, OTHER_ERROR
from app.workbooks.marks.mark import Mark
from app.workbooks.marks.package import Package

ROW, ERROR, ERROR_OF_FORMULA, SHEET = 0, 3, 11, 156  # BrtRowHdr, BrtCellError, BrtFmlaError, BrtBundleSh
CELL_BYTES: Final = 9  # of a cell with an error: column, style, error


def find_marks(package: Package, workbook: str, number: int, add: Callable[[Mark], None]) -> None:
    """`workbook` is its part; `number` is the place of the sheet among all, from 0 on."""
    with package.open(workbook) as part:
        relationships = [read_text(data, 8) for kind, data in read_records(part) if kind == SHEET]
    name = package.find_sheet(workbook, relationships[number]) if number < len(relationships) else ""
    if not name:
        return
    row = -1
    with package.open(name) as part:
        for kind, data in read_records(part):
            if kind == ROW:
                (row,) = struct.unpack_from("<I", data)
            elif kind in (ERROR, ERROR_OF_FORMULA) and len(data) >= CELL_BYTES:
                (column,) = struct.unpack_from("<I", data)
                add(Mark(row, column, ERROR_NAMES.get(data[8], OTHER_ERROR)))


def read_records(part: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The type and the data of each record. Raises ValueError for a part that is cut."""
    while first := part.read(1):
        kind = first[0]
        if kind & 0x80:
            kind = kind & 0x7F | part.read(1)[0] << 7
        size = 0
        for shift in (0, 7, 14, 21):
            byte = part.read(1)[0]
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        data = part.read(size)
        if len(data) != size:
            raise ValueError(size)
        yield kind, data


def read_text(data: bytes, at: int) -> str:
    """XLWideString: the number of its characters, and UTF-16."""
    (length,) = struct.unpack_from("<I", data, at)
    return data[at + 4 : at + 4 + 2 * length].decode("utf-16-le")
