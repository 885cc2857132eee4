"""Puts what cells show into the rows that the library reads."""

import zipfile
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from app.workbooks.formula_errors import ERROR_NAMES
from app.workbooks.marks import ods, xls, xlsb, xlsx
from app.workbooks.marks.compound import CompoundFile
from app.workbooks.marks.mark import Mark
from app.workbooks.marks.package import Package
from app.workbooks.spelling import MOST_EXACT

NAMES: Final = tuple(ERROR_NAMES.values())
# A mark takes eight bytes: row, column, and the place of the error in NAMES, or behind these the number of digits.
ROW_SHIFT, COLUMN_SHIFT = 24, 8


class Marks:
    """The marks of a sheet, in the order of its cells."""

    def __init__(self) -> None:
        self._packed = array("Q")

    def add(self, mark: Mark) -> None:
        kind = NAMES.index(mark.shown) if isinstance(mark.shown, str) else len(NAMES) + mark.shown
        self._packed.append(mark.row << ROW_SHIFT | mark.column << COLUMN_SHIFT | kind)

    def settle(self) -> None:
        """All are added."""
        self._packed = array("Q", sorted(self._packed))

    def complete(self, rows: Iterator[list[Any]], first_column: int) -> Iterator[list[Any]]:
        """The rows of the sheet, of which each begins with `first_column`, from column 0 on and with what their cells
        show. A row or a cell behind the last value may be marked, too."""
        number = -1
        for number, row in enumerate(rows):
            yield self._put(number, [""] * first_column + row)
        last = self._packed[-1] >> ROW_SHIFT if self._packed else -1
        for behind in range(number + 1, last + 1):
            yield self._put(behind, [])

    def _put(self, number: int, row: list[Any]) -> list[Any]:
        begin = bisect_left(self._packed, number << ROW_SHIFT)
        for mark in self._packed[begin : bisect_left(self._packed, (number + 1) << ROW_SHIFT, begin)]:
            column, kind = mark >> COLUMN_SHIFT & 0xFFFF, mark & 0xFF
            row += [""] * (column + 1 - len(row))
            row[column] = NAMES[kind] if kind < len(NAMES) else fill_zeros(row[column], kind - len(NAMES))
        return row


def fill_zeros(value: object, digits: int) -> object:
    """A whole number as its format shows it; any other value as it is."""
    if isinstance(value, float) and 0 <= value <= MOST_EXACT and value.is_integer():
        return f"{value:.0f}".zfill(digits)
    return value


def find_marks(raw: BinaryIO, number: int) -> Marks:
    """Of the sheet with this place among all of a workbook, from 0 on. Raises whatever a damaged workbook makes."""
    marks = Marks()
    raw.seek(0)
    if not zipfile.is_zipfile(raw):
        raw.seek(0)
        xls.find_marks(CompoundFile(raw.read()).read("Workbook", "Book"), number, marks.add)
    else:
        with zipfile.ZipFile(raw) as archive:
            package = Package(archive)
            if workbook := package.find_workbook():
                (xlsb if workbook.endswith(".bin") else xlsx).find_marks(package, workbook, number, marks.add)
            else:
                ods.find_marks(package, number, marks.add)
    marks.settle()
    return marks
