"""Prints results on stdout and failures on stderr: lines, JSON, tables, and facts about one thing."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.client.failures import JsonObject, RequestFailed, list_reasons

PIPE_WIDTH: Final = 100_000  # of what is no terminal: nothing is cut there
LEAST_WIDTH: Final = 16  # of a column that is made narrower
GAP: Final = 2  # blanks between columns


def show_value(value: object) -> str:
    """A JSON value for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def show_time(value: object) -> str:
    """A time of the wire, which is UTC, to the minute: `2026-11-27 10:37`."""
    return str(value or "")[:16].replace("T", " ")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: what it shows is a member of each row, or made by a function of the row.

    On a narrow terminal the long cells of `cut` columns end with `…`, those of `wraps` columns go on in the next line,
    and other columns stay whole. A `number` has thousands separators.
    """

    title: str
    source: str | Callable[[Mapping[str, Any]], object]
    show: Callable[[object], str] = show_value
    number: bool = False
    cut: bool = False
    wraps: bool = False

    def cell(self, row: Mapping[str, Any]) -> str:
        value = row.get(self.source) if isinstance(self.source, str) else self.source(row)
        if self.number and isinstance(value, int):
            return f"{value:,}"
        return escape_control_characters(self.show(value)).replace("\n", "\\n")


def print_table(columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]], *, header: bool = True) -> None:
    """Prints aligned columns without lines between them. What is no terminal gets whole cells; a terminal that is too
    narrow for the least that is needed breaks the lines itself."""
    console = Console()
    cells = [[Text(column.cell(row)) for column in columns] for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=header)
    least = 0
    for number, column in enumerate(columns):
        widest = max((each[number].cell_len for each in cells), default=0)
        narrowest = max(len(column.title), min(widest, LEAST_WIDTH) if column.wraps or column.cut else widest)
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            min_width=narrowest,
        )
        least += narrowest + GAP
    for each in cells:
        table.add_row(*each)
    # In the last column rich cuts cells as if the gap behind it were not there, and then cuts the lines for it.
    console.width = max(console.width - GAP, least) if console.is_terminal else PIPE_WIDTH
    with console.capture() as printed:
        console.print(table, crop=False)
    for line in printed.get().splitlines():
        print(line.rstrip())


def print_facts(facts: Mapping[str, object]) -> None:
    """Prints names and values below each other. What is empty is left out."""
    shown = {name: show_value(value) for name, value in facts.items()}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if value:
            print(f"{name:<{width}}  {escape_control_characters(value)}")


def print_pages(columns: Sequence[TableColumn], pages: Iterable[JsonObject], *, as_json: bool) -> None:
    """Prints the items of all pages as one table, or each page in a line as the service sent it."""
    page: JsonObject | None = None
    for number, page in enumerate(pages):
        if as_json:
            print_json(page)
        else:
            print_table(columns, page["results"], header=number == 0)
    if page is not None and page["links"].get("next") and not as_json:
        print_note("There are more: use --limit")


def print_json(body: Mapping[str, object]) -> None:
    """Prints what the service answered as it came, or what was made here in its place."""
    print(body.text if isinstance(body, JsonObject) else json.dumps(body))


def print_line(line: str) -> None:
    """Prints a line of a result, at once: whoever reads it through a pipe may wait for it."""
    print(escape_control_characters(line), flush=True)


def print_note(line: str) -> None:
    """Prints a line that is no result."""
    print(escape_control_characters(line), file=sys.stderr)


def print_error(failure: RequestFailed) -> None:
    """Prints why a request failed in one line, and below it reasons that the line does not tell."""
    detail = str(failure)
    print_note(f"sluice: {' '.join(detail.split())}")
    for reason in list_reasons(failure.body):
        if reason not in detail:
            print_note(f"  {reason}")


def escape_control_characters(text: str) -> str:
    """Replaces control characters, which would steer the terminal: cells and server messages may hold any."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
