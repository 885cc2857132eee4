"""What an export was asked to write, and the columns that its file has."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from app.resources.schema import Field, Resource
from app.runs.model import Run
from app.storage.exports.statement import CellSource

Format = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file of an export is written. It is stored with the run."""

    format: Format = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    gzip: bool = False


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of the file: its heading, and what its cells are."""

    heading: str
    source: CellSource


def load_file_options(run: Run) -> FileOptions:
    return msgspec.convert(run.options["file"], FileOptions)


def build_file_name(type: str, run_id: str, options: FileOptions) -> str:
    """The name under which the file is downloaded. Names of types have only letters, digits, `-` and `_`."""
    return f"{type}-{run_id}.{options.format}{'.gz' if options.gzip else ''}"


def build_columns(resource: Resource, members: Iterable[str]) -> tuple[ExportColumn, ...]:
    """A column for every field, those that identify a record first, then one for each other member that occurs:
    members of nested records and unknown columns that were kept. What is only ever computed has no column, and neither
    has what only names other records in rows that are imported."""
    written = [each for each in resource.fields if not each.read_only or each.id == resource.fixed]
    stored = [each for each in written if not each.alias_of]
    keys = [each for name in resource.keys for each in stored if each.id == name]
    declared = dict.fromkeys([*(each.id for each in keys), *(each.id for each in stored)])
    others = sorted(set(members) - {each.id for each in resource.fields}, key=split_path)
    return tuple(ExportColumn(name, build_source(resource, name)) for name in [*declared, *others])


def format_header(columns: Sequence[ExportColumn], delimiter: str) -> bytes:
    """Ends like the lines that PostgreSQL writes."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow([each.heading for each in columns])
    return line.getvalue().encode()


def build_source(resource: Resource, name: str) -> CellSource:
    field = resource.field(name) or Field(name, "text")
    is_key = resource.surrogate is not None and resource.surrogate.id == name
    return CellSource(name, is_key=is_key, separator=field.separator if field.type == "list" else None)


def split_path(name: str) -> list[tuple[int, str]]:
    """Sorts positions in a list as numbers: `images.2` comes before `images.10`."""
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in name.split(".")]
