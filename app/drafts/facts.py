"""What reading the file of a draft shows: its dialect, header, rows, and what is odd about them."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import msgspec

from app.errors import Refused
from app.formats import open_reader
from app.formats.characters import escape_unstorable
from app.formats.records import Batch, Limits, Reader
from app.formats.sniff import AUTO
from app.imports.examine import HEAD_BYTES, refuse_foreign
from app.imports.plan import ReadOptions
from app.imports.preview import has_values, list_cells
from app.imports.sources.head import SUPPOSED_ENCODING, FileHead
from app.problems import shorten
from app.storage.json_columns import compile_reader
from app.workbooks.workbook import ReadSheet

FIRST_ROWS: Final = 3  # that are shown as they were read
LOOKED_AT: Final = 1_000  # rows in which oddities are looked for
SHOWN_COLUMNS: Final = 50  # of the first rows

NO_HEADER: Final = "The first row looks like data. If the file has no header, say so where its type is chosen"
ONE_COLUMN: Final = "Only one column was found. If there are more, another delimiter separates them"
GUESSED: Final = "It is not UTF-8 and was read as Windows-1252. If letters look wrong, choose another encoding"
SAME_HEADING: Final = "Several columns are called `{}`. Columns are found by their headings, so only one of them is"
UNREADABLE: Final = "{} of the first {:,} rows cannot be read, the first of them in line {}: {}"
NO_ROWS: Final = "It has a header, and no rows"


@dataclass(frozen=True, slots=True)
class FileReading:
    """How somebody wants a file to be read. None, and "auto" for the delimiter: as it is found."""

    format: str | None = None
    delimiter: str = AUTO
    encoding: str | None = None
    has_header: bool | None = None

    @classmethod
    def from_choices(cls, choices: Any) -> "FileReading":
        return cls(
            choices.get("format"), choices.get("delimiter") or AUTO, choices.get("encoding"), choices.get("hasHeader")
        )


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as it was read. `header` has the names of the first members if the format has no header, and of a
    delimited file without one what its columns are called by their numbers. `rows` is None if only the beginning is
    known. `first` are rows as text, `odd` sentences."""

    format: str
    delimiter: str
    encoding: str
    has_header: bool
    header: tuple[str, ...]
    rows: int | None
    first: tuple[tuple[str, ...], ...]
    odd: tuple[str, ...]
    sheet: ReadSheet | None = None  # of a workbook


read_facts = compile_reader(FileFacts)


def facts_to_json(facts: FileFacts | None) -> Any:
    """The facts as JSON for the draft's row."""
    return msgspec.to_builtins(facts)


def find_facts(file: BinaryIO, head: FileHead, reading: FileReading, limits: Limits, *, count: bool) -> FileFacts:
    """Reads a file that is stored as UTF-8, of which `head` is the beginning; `count` its rows, too. Blocking. Raises
    Refused: empty_file, unreadable_file, invalid (the header, what was chosen)."""
    dialect = replace(head.find_dialect(reading.format, reading.delimiter), has_header=reading.has_header is not False)
    refuse_foreign(head.data[:HEAD_BYTES], dialect, ReadOptions(reading.format, reading.delimiter))
    reader = open_reader(file, dialect, limits)
    batch = reader.read(reader.first, max_rows=LOOKED_AT, max_bytes=max(1, len(head.data)))
    cells = list_cells(reader, batch)
    return FileFacts(
        format=dialect.format,
        delimiter=dialect.delimiter,
        encoding=dialect.encoding,
        has_header=dialect.has_header,
        header=tuple(each.heading for each in cells),
        rows=reader.count() if count else None,
        first=tuple(
            tuple(shorten(each.cells[row]) for each in cells[:SHOWN_COLUMNS])
            for row in range(min(FIRST_ROWS, len(batch.records)))
        ),
        odd=tuple(find_oddities(reader, batch, head, reading)),
        sheet=head.sheet,
    )


def find_oddities(reader: Reader, batch: Batch, head: FileHead, reading: FileReading) -> Iterator[str]:
    """What somebody should look at before going on, as sentences."""
    if reader.header:
        has_header, chosen = reading.has_header is not False, reading.has_header is not None
        yield from find_odd_header(reader.header, has_header=has_header, chosen=chosen)
    if head.sheet and (left := head.sheet.describe_others()):
        yield left
    if head.encoding == SUPPOSED_ENCODING and reading.encoding is None:
        yield GUESSED
    if batch.unreadable:
        first = batch.unreadable[0]
        yield UNREADABLE.format(len(batch.unreadable), batch.end.row, first.line, first.message)
    if not batch.records and not batch.unreadable:
        yield NO_ROWS


def find_odd_header(header: Sequence[str], *, has_header: bool, chosen: bool) -> Iterator[str]:
    if len(header) == 1:
        yield ONE_COLUMN
    if not has_header:
        return
    if not chosen and has_values(header):
        yield NO_HEADER
    repeated = next((name for index, name in enumerate(header) if name and name in header[:index]), None)
    if repeated is not None:
        yield SAME_HEADING.format(shorten(escape_unstorable(repeated)))


def find_facts_of_beginning(head: FileHead, reading: FileReading, limits: Limits) -> FileFacts:
    """The same of a file of which no more than the beginning is here. Blocking."""
    if not head.data:
        raise Refused("empty_file", "The file is empty")
    return find_facts(io.BytesIO(head.data), head, reading, limits, count=head.whole)
