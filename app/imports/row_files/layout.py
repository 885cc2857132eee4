"""Says which cells the rows of an import have in a CSV file that is made of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.declarations.types import build_resource
from app.formats.detection.report_header import find_report, find_results
from app.formats.records import Record, UnreadableRow
from app.imports.plan import Plan
from app.imports.results.csv_cells import format_cell, format_json
from app.mappings.conversions import WriteColumn, compile_inverse
from app.resources.paths import flatten

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowsLayout:
    """The shape of the file. `separators`: heading -> what separates the items of a list. `nested`: the rows are JSON
    objects, and there is a column for the path of every inner member. `writers`: heading -> what writes a value of JSON
    as the mapping reads it. `dropped`: the indexes of the columns of an earlier report, which are not written."""

    header: Sequence[str]
    delimiter: str
    separators: Mapping[str, str]
    nested: bool = False
    writers: Mapping[str, WriteColumn | None] = field(default_factory=dict)
    dropped: range = range(0)

    @property
    def written(self) -> list[str]:
        """The headings of the columns that are written."""
        return self.leave_out(self.header)

    def leave_out(self, cells: Sequence[T]) -> list[T]:
        """Those of the columns that are written."""
        return [*cells[: self.dropped.start], *cells[self.dropped.stop :]]


def build_layout(plan: Plan, type: str) -> RowsLayout:
    """JSON Lines have no header: there the columns are the fields of the type. Blocking: a type may be large."""
    resource = build_resource(type, plan.declaration)
    fields = [(column.heading, resource.field(column.field)) for column in plan.columns]
    separators = {heading: field.separator for heading, field in fields if field and field.type == "list"}
    asked = {column.heading: column.conversions for column in plan.columns}
    separators |= {heading: each["separator"] for heading, each in asked.items() if "separator" in each}
    writers = {heading: compile_inverse(asked[heading], field) for heading, field in fields if field and asked[heading]}
    header = plan.header or tuple(heading for heading, _ in fields)
    nested = bool(resource.families) and plan.dialect.format == "jsonl"
    return RowsLayout(header, plan.dialect.delimiter, separators, nested, writers, find_earlier_report(plan))


def find_earlier_report(plan: Plan) -> range:
    """The indexes of the columns of an earlier file of results, which told about an earlier import."""
    read = {column.index for column in plan.columns}
    return find_results(plan.header) or (found if read.isdisjoint(found := find_report(plan.header)) else range(0))


def add_paths(layout: RowsLayout, paths: Iterator[str], *, most: int) -> RowsLayout:
    """The layout with a column for every path that is not among its headings: only the rows of nested JSON Lines know
    them. At most `most` columns, as a file may have. Blocking."""
    header = dict.fromkeys(layout.header)
    for path in paths:
        header[path] = None
        if len(header) >= most:
            break
    return replace(layout, header=tuple(header)[:most])


def flatten_record(record: Record | UnreadableRow) -> Record | UnreadableRow:
    """A JSON object by its paths; one that cannot be split into paths becomes unreadable."""
    if not isinstance(record, Mapping):
        return record
    flat = flatten(record)
    if isinstance(flat, tuple):
        code, message = flat
        return UnreadableRow(0, 0, code, message, cells=(), raw=format_json(record))
    return {path: value for path, value in flat.items() if not isinstance(value, dict | list)}


def build_cells(layout: RowsLayout, columns: Mapping[str, int], record: Record | UnreadableRow) -> list[str]:
    """The cells of one row, those that are dropped included. Those of an unreadable row are empty: cut or filled up to
    fit the header, it could be sent back and be stored shifted. `columns` says where a heading is in the header."""
    if isinstance(record, UnreadableRow):
        return [""] * len(layout.header)
    if not isinstance(record, Mapping):
        return list(record)
    # The rows may have few of the header's many columns.
    cells = [""] * len(layout.header)
    for name in record.keys() & columns.keys():
        cells[columns[name]] = write_cell(layout, name, record[name])
    return cells


def write_cell(layout: RowsLayout, heading: str, value: object) -> str:
    """A value of a JSON object as a cell. Texts were to be converted, so they stay; a number is written as the mapping
    would read it."""
    cell, write = format_cell(value, layout.separators.get(heading)), layout.writers.get(heading)
    return cell if write is None or not cell or isinstance(value, str) else write([cell])[0]
