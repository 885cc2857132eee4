"""What an export was asked to write, and the columns that its file has."""

import csv
import dataclasses
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, Literal

from app.formats.header import name_position
from app.mappings.conversions import WriteColumn, compile_inverse
from app.mappings.declaring.fitting import find_field
from app.mappings.mapping import DEFAULT, MappedColumn, Mapping
from app.resources.schema import Field, Resource
from app.runs.model import Run
from app.storage.exports.selection import Filter
from app.storage.exports.statement import CellSource
from app.storage.json_columns import compile_reader

Format = Literal["csv", "jsonl"]
Respell = Callable[[bytes], bytes]  # takes what PostgreSQL sends, in pieces of any size, and gives what is written
NEVER_FORMULAS: Final = frozenset({"integer", "decimal", "boolean", "date", "datetime"})  # types of fields


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file of an export is written. It is stored with the run."""

    format: Format = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    gzip: bool = False
    formulas: Literal["keep", "neutralize"] = "keep"


@dataclass(frozen=True, slots=True)
class Selected:
    """What of the records is written. It is stored with the run. A stored mapping is read when the export starts."""

    mapping_id: str = DEFAULT
    mapping: Mapping = dataclasses.field(default_factory=Mapping)  # one that the request has brought
    filter: Filter = dataclasses.field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of the file: its heading, what its cells are, and how a mapping has them written."""

    heading: str
    source: CellSource
    write: WriteColumn | None = None


EMPTY: Final = CellSource("")
read_file_options, read_selected = compile_reader(FileOptions), compile_reader(Selected)
is_formula = re.compile(r"'*[=+@\t\r-]").match  # as in app.storage.exports.statement.FORMULA


def load_file_options(run: Run) -> FileOptions:
    return read_file_options(run.options["file"])


def load_selected(run: Run) -> Selected:
    return read_selected(run.options["select"])


def build_file_name(type: str, run_id: str, options: FileOptions) -> str:
    """The name under which the file is downloaded. Names of types have only letters, digits, `-` and `_`."""
    return f"{type}-{run_id}.{options.format}{'.gz' if options.gzip else ''}"


def list_known(resource: Resource) -> list[str]:
    return [each.id for each in resource.fields]


def build_columns(
    resource: Resource, mapping: Mapping, members: Iterable[str], fields: Sequence[str] | None = None
) -> tuple[ExportColumn, ...]:
    """The columns of the mapping; of the default one a column for every field, those that identify a record first, then
    one for each other member that occurs. `members` are the names of all that occur, if there are any besides the
    fields. With `fields`, only these columns: those of the default mapping in this order."""
    if mapping.columns:
        columns = build_mapped_columns(resource, mapping)
        return tuple(each for each in columns if fields is None or each.source.member in (*fields, ""))
    if fields is not None:
        return tuple(build_column(resource, name) for name in fields)
    # What is only ever computed has no column, and neither has what only names other records in rows of an import.
    written = [each for each in resource.fields if not each.read_only or each.id == resource.fixed]
    stored = [each for each in written if not each.alias_of]
    keys = [each for name in resource.keys for each in stored if each.id == name]
    declared = dict.fromkeys([*(each.id for each in keys), *(each.id for each in stored)])
    others = sorted(set(members).difference(list_known(resource)), key=split_path)
    return tuple(build_column(resource, name) for name in [*declared, *others])


def build_column(resource: Resource, name: str) -> ExportColumn:
    return ExportColumn(name, build_source(resource, resource.field(name) or Field(name, "text")))


def build_mapped_columns(resource: Resource, mapping: Mapping) -> tuple[ExportColumn, ...]:
    """The columns of the mapping in its order. Those with a position are at that place, and in a gap between them is an
    empty column."""
    placed = {each.position: each for each in mapping.columns if each.position is not None and each.field}
    others = iter([each for each in mapping.columns if each.position is None and each.field])
    columns = [
        build_mapped_column(resource, mapping, each) if each else ExportColumn(name_position(position), EMPTY)
        for position in range(max(placed, default=-1) + 1)
        for each in [placed.get(position) or next(others, None)]
    ]
    return (*columns, *(build_mapped_column(resource, mapping, each) for each in others))


def build_mapped_column(resource: Resource, mapping: Mapping, column: MappedColumn) -> ExportColumn:
    field = find_field(column.field, resource) or Field(column.field, "text")
    conversions = column.conversions
    marker = conversions.get("nullMarker", mapping.options.get("nullMarker"))
    source = build_source(resource, field, separator=conversions.get("separator"), marker=marker)
    inverse = compile_inverse(conversions, field)
    return ExportColumn(column.name, source, None if inverse is None else spare_blanks(inverse, marker))


def spare_blanks(write: WriteColumn, marker: str | None) -> WriteColumn:
    """Blanks and markers are no values."""

    def write_values(texts: Sequence[str]) -> Sequence[str]:
        rest = iter(write([text for text in texts if text and text != marker]))
        return [next(rest) if text and text != marker else text for text in texts]

    return write_values


def build_source(
    resource: Resource, field: Field, *, separator: str | None = None, marker: str | None = None
) -> CellSource:
    is_key = resource.surrogate is not None and resource.surrogate.id == field.id
    return CellSource(
        field.id,
        is_key=is_key,
        is_text=field.type not in NEVER_FORMULAS,
        separator=(separator or field.separator) if field.type == "list" else None,
        marker=marker,
    )


def split_path(name: str) -> list[tuple[int, str]]:
    """Sorts positions in a list as numbers: `images.2` comes before `images.10`."""
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in name.split(".")]


def format_header(columns: Sequence[ExportColumn], delimiter: str, *, neutralize: bool) -> bytes:
    """With `neutralize` headings that look like formulas have an apostrophe before them, as cells do."""
    headings = [f"'{each.heading}" if neutralize and is_formula(each.heading) else each.heading for each in columns]
    return format_lines([headings], delimiter)


def format_lines(rows: Sequence[Sequence[str]], delimiter: str) -> bytes:
    """The rows as CSV, each with LF at its end, as PostgreSQL writes it. A row of one blank cell has it in quotes,
    because readers skip blank lines."""
    if any(len(row) == 1 and row[0].isspace() for row in rows):
        return b"".join([format_line(row, delimiter) for row in rows])
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    written = text.getvalue()
    return (written if "\r" not in written else format_with_returns(rows, delimiter)).encode()


def format_line(row: Sequence[str], delimiter: str) -> bytes:
    return f'"{row[0]}"\n'.encode() if row[0].isspace() else format_lines([row], delimiter)


def format_with_returns(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """The same where a cell has a CR, which readers take for the end of a line. Python 3.11 quotes a cell only for the
    characters of its own line end, so lines are written with CRLF and shortened one by one. It takes twice as long."""
    lines: list[str] = []
    csv.writer(SimpleNamespace(write=lines.append), delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return "".join([line[:-2] + "\n" for line in lines])
