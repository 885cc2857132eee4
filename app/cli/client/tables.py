"""Prints tables: aligned columns without lines between them, whose cells are shortened only on a narrow terminal."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from app.cli.client.failures import JsonObject
from app.cli.client.printing import escape_control_characters, print_json, print_note, show_value

LEAST_WIDTH: Final = 16  # of a column that is made narrower, as long as spare columns can give way instead
NARROWEST: Final = 8  # when no spare column is left
LONGEST_WORD: Final = 30  # that decides how wide a column is
GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: what it shows is a member of each row, or made by a function of the row.

    On a narrow terminal the long cells of `cut` columns end with `…`, those of `wraps` columns go on in the next line,
    and other columns stay whole. A `spare` column is left out before one of the others gets narrower than its `least`.
    A `number` has thousands separators.
    """

    title: str
    source: str | Callable[[Mapping[str, Any]], object]
    show: Callable[[object], str] = show_value
    number: bool = False
    cut: bool = False
    wraps: bool = False
    spare: bool = False
    least: int = LEAST_WIDTH

    def cell(self, row: Mapping[str, Any]) -> str:
        value = row.get(self.source) if isinstance(self.source, str) else self.source(row)
        if self.number and isinstance(value, int):
            return f"{value:,}"
        return escape_control_characters(self.show(value)).replace("\n", "\\n")

    def find_floor(self, cells: Iterable[str]) -> int:
        """How narrow the column may get: not narrower than words of cells that wrap, not wider than its cells."""
        if not (self.cut or self.wraps):
            return max(map(cell_len, cells), default=0)
        cells = list(cells)
        words = [cell_len(word) for cell in cells for word in cell.split()] if self.wraps else []
        wished = max([self.least, *(each for each in words if each <= LONGEST_WORD)])
        return min(wished, max(map(cell_len, cells), default=0))


def print_table(
    columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]], *, header: bool = True
) -> Sequence[TableColumn]:
    """What is no terminal gets whole cells, and all columns. Returns the columns that were printed, for what follows
    without a header. A terminal that is too narrow even for the least breaks the lines."""
    console = Console()
    available = console.width if console.is_terminal else sys.maxsize
    titles = [[column.title for column in columns]] if header else []
    cells = [*titles, *([column.cell(row) for column in columns] for row in rows)]
    if not cells:
        return columns
    if header:
        chosen = choose_columns(columns, cells, available)
        columns = [columns[number] for number in chosen]
        cells = [[row[number] for number in chosen] for row in cells]
    widths = find_widths(columns, cells, available)
    for row in cells:
        lines = [
            fit_cell(cell, column, width, console) for cell, column, width in zip(row, columns, widths, strict=True)
        ]
        for line in zip_longest(*lines, fillvalue=""):
            padded = map(pad_cell, line, columns, widths)
            print(GAP.join(padded).rstrip())
    return columns


def choose_columns(columns: Sequence[TableColumn], cells: Sequence[Sequence[str]], available: int) -> list[int]:
    """The numbers of the columns that have room: spare ones go first, from the right."""
    floors = [column.find_floor(each) for column, each in zip(columns, zip(*cells, strict=True), strict=True)]
    chosen = list(range(len(columns)))
    spare = [number for number, column in enumerate(columns) if column.spare]
    while spare and sum(floors[number] + len(GAP) for number in chosen) - len(GAP) > available:
        chosen.remove(spare.pop())
    return chosen


def find_widths(columns: Sequence[TableColumn], cells: Sequence[Sequence[str]], available: int) -> list[int]:
    """The width of each column: as wide as its cells are, as long as all fit into `available`. Then the widest of those
    that may be narrower gives way."""
    available -= len(GAP) * (len(columns) - 1)
    by_column = list(zip(*cells, strict=True))
    widths = [
        min(widest, available) if column.cut or column.wraps else widest
        for column, widest in zip(columns, (max(map(cell_len, each)) for each in by_column), strict=True)
    ]
    floors = [column.find_floor(each) for column, each in zip(columns, by_column, strict=True)]
    narrowest = [min(NARROWEST, floor) if column.cut else floor for column, floor in zip(columns, floors, strict=True)]
    for least in (floors, narrowest):
        while sum(widths) > available:
            flexible = [number for number, width in enumerate(widths) if width > least[number]]
            if not flexible:
                break
            widths[max(flexible, key=widths.__getitem__)] -= 1
    return widths


def fit_cell(cell: str, column: TableColumn, width: int, console: Console) -> list[str]:
    """The lines of a cell."""
    if cell_len(cell) <= width:
        return [cell]
    text = Text(cell)
    if column.wraps:
        return [line.plain.rstrip() for line in text.wrap(console, width)]
    text.truncate(width, overflow="ellipsis")
    return [text.plain]


def pad_cell(cell: str, column: TableColumn, width: int) -> str:
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if column.number else cell + blanks


def print_pages(columns: Sequence[TableColumn], pages: Iterable[JsonObject], *, as_json: bool) -> None:
    """Prints the items of all pages as one table, or each page in a line as the service sent it."""
    page: JsonObject | None = None
    for number, page in enumerate(pages):
        if as_json:
            print_json(page)
        else:
            columns = print_table(columns, page["results"], header=number == 0)
    if page is not None and page["links"].get("next") and not as_json:
        print_note("There are more. Show them with a higher --limit")
