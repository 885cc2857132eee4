"""Marks of a sheet of .xlsx and .xlsm (ECMA-376 part 1, §18.3 and §18.8)."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from app.workbooks.formula_errors import OTHER_ERROR, is_formula_error
from app.workbooks.marks.mark import Mark
from app.workbooks.marks.package import Attributes, Package, local

STYLES: Final = "xl/styles.xml"
ERROR_CELL: Final = re.compile(rb"""\bt\s*=\s*["']e["']""")
LEADING_ZEROS: Final = re.compile(r"(?:\[\$-[0-9A-Fa-f]+\])?(0{2,30})(?:;.*)?")
match_reference = re.compile(r"([A-Z]{1,3})([0-9]{1,7})").fullmatch


def find_marks(package: Package, workbook: str, number: int, add: Callable[[Mark], None]) -> None:
    """`workbook` is its part; `number` is the place of the sheet among all, from 0 on."""
    part = find_sheet(package, workbook, number)
    if not part:
        return
    digits = read_digits(package) if STYLES in package else {}
    if digits or package.mentions(part, ERROR_CELL):
        sheet = XmlSheet(digits, add)
        package.parse(part, sheet.begin, sheet.end, sheet.text)


def find_sheet(package: Package, workbook: str, number: int) -> str:
    relationships: list[str] = []

    def begin(name: str, attributes: Attributes) -> None:
        if local(name) == "sheet":
            relationships.append(next((value for key, value in attributes.items() if key.endswith(":id")), ""))

    package.parse(workbook, begin)
    return package.find_sheet(workbook, relationships[number]) if number < len(relationships) else ""


def read_digits(package: Package) -> Mapping[str, int]:
    """The style of cells -> how many digits its format shows at least, for formats of nothing but zeros."""
    codes: dict[str, str] = {}
    styles: list[str] = []
    path: list[str] = []

    def begin(name: str, attributes: Attributes) -> None:
        path.append(local(name))
        if path[-1] == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif path[-2:] == ["cellXfs", "xf"]:
            styles.append(attributes.get("numFmtId", ""))

    package.parse(STYLES, begin, lambda _: path.pop())
    shown = {key: len(found[1]) for key, code in codes.items() if (found := LEADING_ZEROS.fullmatch(code))}
    return {str(style): shown[key] for style, key in enumerate(styles) if key in shown}


class XmlSheet:
    """Takes the elements of a sheet. Rows and cells may do without their numbers: then they follow each other."""

    def __init__(self, digits: Mapping[str, int], add: Callable[[Mark], None]) -> None:
        self._digits, self._add = digits, add
        self._row, self._column = -1, -1
        self._error: list[str] | None = None  # what was read of the error of this cell
        self._in_value = False

    def begin(self, name: str, attributes: Attributes) -> None:
        name = local(name)
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            number = attributes.get("r", "")
            self._row, self._column = int(number) - 1 if number.isdecimal() else self._row + 1, -1
        else:
            self._in_value = name == "v"

    def end(self, name: str) -> None:
        self._in_value = False
        if self._error is not None and local(name) == "c":
            shown = "".join(self._error).strip()
            self._add(Mark(self._row, self._column, shown if is_formula_error(shown) else OTHER_ERROR))
            self._error = None

    def text(self, text: str) -> None:
        if self._error is not None and self._in_value:
            self._error.append(text)

    def _begin_cell(self, attributes: Attributes) -> None:
        place = match_reference(attributes.get("r", ""))
        if place:
            self._row, self._column = int(place[2]) - 1, read_column(place[1])
        else:
            self._column += 1
        kind = attributes.get("t", "n")
        if kind == "e":
            self._error = []
        elif kind == "n" and (digits := self._digits.get(attributes.get("s", ""))):
            self._add(Mark(self._row, self._column, digits))


def read_column(letters: str) -> int:
    """A is 0, AA is 26."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1
