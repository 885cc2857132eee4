"""Marks of a sheet of .ods (OpenDocument 1.3 part 3, §9.1), whose cells have what they show beside their value."""

import re
from collections.abc import Callable
from typing import Final

from app.workbooks.formula_errors import OTHER_ERROR, is_formula_error
from app.workbooks.marks.mark import Mark
from app.workbooks.marks.package import Attributes, Package

CONTENT: Final = "content.xml"
# An error has its own type since LibreOffice 4.1; before, and in other programs, it is a number that shows a name.
MARKED: Final = re.compile(rb'value-type="error"|<text:p>(?:#|Err:|0[0-9])')
ERROR_TEXT: Final = re.compile(r"#[^\s]+[!?A]|Err:[0-9]{3}")
LEADING_ZERO: Final = re.compile(r"0[0-9]{1,29}")
NUMBER: Final = "float"
CELLS: Final = frozenset({"table:table-cell", "table:covered-table-cell"})
MOST_COLUMNS, MOST_ROWS = 16_384, 1_048_576  # repeated ones beyond are of no program


def find_marks(package: Package, number: int, add: Callable[[Mark], None]) -> None:
    """`number` is the place of the sheet among all, from 0 on."""
    if package.mentions(CONTENT, MARKED):
        sheet = OpenTable(number, add)
        package.parse(CONTENT, sheet.begin, sheet.end, sheet.text)


class OpenTable:
    """Takes the elements of all sheets. Rows and cells may say that they are repeated."""

    def __init__(self, number: int, add: Callable[[Mark], None]) -> None:
        self._number, self._add = number, add
        self._table = -1
        self._row, self._rows = 0, 1  # the row that is read, and how often it is there
        self._column, self._columns = 0, 1
        self._kind = ""  # of the value of this cell
        self._is_error = False
        self._text: list[str] | None = None  # what this cell shows
        self._found: list[tuple[int, str | int]] = []  # in this row

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._table += 1
            self._row = 0
        elif self._table != self._number:
            return
        elif name == "table:table-row":
            self._rows = min(int(attributes.get("table:number-rows-repeated", 1)), MOST_ROWS)
            self._column, self._found = 0, []
        elif name in CELLS:
            self._columns = min(int(attributes.get("table:number-columns-repeated", 1)), MOST_COLUMNS)
            self._kind = attributes.get("office:value-type", "")
            self._is_error = attributes.get("calcext:value-type") == "error"
            self._text = []

    def text(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        if self._table != self._number:
            return
        if name in CELLS:
            shown = self._find_shown("".join(self._text or ()).strip())
            if shown is not None:
                self._found += [(column, shown) for column in range(self._column, self._column + self._columns)]
            self._column += self._columns
            self._text = None
        elif name == "table:table-row":
            for row in range(self._row, self._row + self._rows) if self._found else ():
                for column, shown in self._found:
                    self._add(Mark(row, column, shown))
            self._row += self._rows

    def _find_shown(self, text: str) -> str | int | None:
        if self._is_error or (self._kind == NUMBER and ERROR_TEXT.fullmatch(text)):
            return text if is_formula_error(text) else OTHER_ERROR  # in another language it has another name
        return len(text) if self._kind == NUMBER and LEADING_ZERO.fullmatch(text) else None
