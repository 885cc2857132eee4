"""Reads the first record of a delimited file: its column headings."""

import json
from collections.abc import Collection, Sequence
from typing import BinaryIO

from app.errors import Complaint, Refused
from app.formats.characters import UNSTORABLE, describe_unstorable, escape_unstorable
from app.formats.detection.separator_line import LONGEST_LINE, read_separator_line
from app.formats.lines import CHUNK_BYTES, count_line_ends, read_block
from app.formats.quoting import BrokenRecord, DelimiterPatterns, ParsedRecord, parse_record
from app.formats.records import Dialect, Limits, Position, Reader
from app.resources.invisible import clean_exact

MAX_HEADING_LENGTH = 255  # characters; a heading may be repeated in every record and in every problem
HEADING_SHOWN = 40  # characters of a heading that a refusal repeats

# How much is read at once when a column without a heading has to be searched for data.
SEARCH_ROWS = 2_000
SEARCH_BYTES = 1_048_576


def read_header(
    file: BinaryIO, patterns: DelimiterPatterns, *, dialect: Dialect, limits: Limits
) -> tuple[tuple[str, ...], Position]:
    """The trimmed headings and where the records begin. The headings are those of the file's first record, unless
    `dialect.columns` replaces them; a file without a header has numbers for headings. Raises Refused if there are none,
    too many, or ones that cannot be used."""
    start = _skip_separator_line(file)
    if dialect.has_header:
        cells, end = _read_first_record(file, start, patterns, dialect=dialect, limits=limits)
    elif dialect.columns:
        cells, end = [], _skip_columns(file, start, patterns, dialect=dialect, limits=limits)
    else:
        first, end = _read_first_record(file, start, patterns, dialect=dialect, limits=limits, called="The first row")
        cells, end = [name_position(index) for index in range(len(first))], start
    if dialect.columns:
        cells = list(dialect.columns)
    if len(cells) > limits.columns:
        raise _invalid(f"The header has {len(cells):,} columns, but at most {limits.columns:,} are allowed")
    headings = tuple(clean_exact(cell).strip() for cell in cells)
    _refuse_long(headings)
    return headings, end


def name_position(index: int) -> str:
    """What people call the column at an index from 0."""
    return f"Column {index + 1}"


def _skip_separator_line(file: BinaryIO) -> Position:
    """Where reading begins: at the beginning of the file, or behind the line `sep=;`."""
    start = _skip_blank_lines(file, Position())
    file.seek(start.offset)
    found = read_separator_line(file.read(LONGEST_LINE))
    return Position(start.offset + found.size, start.line + 1) if found else Position()


def _skip_columns(
    file: BinaryIO, start: Position, patterns: DelimiterPatterns, *, dialect: Dialect, limits: Limits
) -> Position:
    """Where the rows begin of a file that has no header: behind a first record that repeats `dialect.columns`, as
    corrected failed rows have it."""
    try:
        cells, end = _read_first_record(file, start, patterns, dialect=dialect, limits=limits)
    except Refused:
        return start  # a row like any other, whose problem is its own
    return end if cells == list(dialect.columns) and dialect.rules > 1 else start


def _read_first_record(
    file: BinaryIO,
    start: Position,
    patterns: DelimiterPatterns,
    *,
    dialect: Dialect,
    limits: Limits,
    called: str = "The header",
) -> tuple[list[str], Position]:
    """The cells of the first record from `start` on, and where the next record begins. Messages call it so."""
    start = _skip_blank_lines(file, start)
    # A small piece mostly has all of it. One as long as a record may be takes 2 MB for each file.
    for size in (min(CHUNK_BYTES, limits.record_bytes), limits.record_bytes):
        block = read_block(file, start.offset, size)
        text = block.data.decode("utf-8", "surrogateescape")
        record = parse_record(text, 0, patterns, complete=size == limits.record_bytes) if text else None
        if isinstance(record, ParsedRecord):
            break
    if not block.data and block.ends_file:
        raise _unreadable("The file has only blank lines")
    if not block.data:
        raise _unreadable(
            f"{called} is longer than {limits.record_bytes:,} bytes. Check that the file is text and has line breaks"
        )
    if record is None or isinstance(record, BrokenRecord):
        raise _unreadable(
            f"{called} has a quote that is not closed, or is closed before the end of its cell. "
            "Close it, and double every quote inside a quoted heading"
        )
    raw = text[: record.end]
    unstorable = UNSTORABLE.search(raw)
    if unstorable:
        _, message = describe_unstorable(raw, unstorable.start(), dialect.encoding)
        raise _unreadable(f"{called} cannot be read. {message}")
    size = len(raw.encode())
    return record.cells, Position(start.offset + size, start.line + max(1, count_line_ends(block.data[:size])))


def _refuse_long(headings: Sequence[str]) -> None:
    for number, heading in enumerate(headings, 1):
        if len(heading) > MAX_HEADING_LENGTH:
            # Headings that a request gives may contain anything, line breaks and lone surrogates too.
            beginning = json.dumps(f"{escape_unstorable(heading[:HEADING_SHOWN])}…", ensure_ascii=False)
            raise _invalid(
                f"The heading of column {number} ({beginning}) has {len(heading):,} characters, "
                f"but at most {MAX_HEADING_LENGTH:,} are allowed"
            )


def refuse_data_without_heading(reader: Reader, *, known: Collection[int] = ()) -> None:
    """Raises Refused if a column without a heading has data, because nobody could say where it belongs. Those that are
    `known` by their index may. Reads the whole file if there is such a column."""
    unnamed = [column for column, heading in enumerate(reader.header) if not heading and column not in known]
    at, last = reader.first, not unnamed
    while not last:
        batch = reader.read(at, max_rows=SEARCH_ROWS, max_bytes=SEARCH_BYTES)
        for record, line in zip(batch.records, batch.lines, strict=True):
            column = next((each for each in unnamed if isinstance(record, list | tuple) and record[each].strip()), None)
            if column is not None:
                raise _invalid(
                    f"Column {column + 1} has no heading, but line {line} has data in it. "
                    "Give the column a heading, or remove its data"
                )
        at, last = batch.end, batch.last


def _skip_blank_lines(file: BinaryIO, start: Position) -> Position:
    offset, line = start.offset, start.line
    while True:
        data = read_block(file, offset, CHUNK_BYTES).data
        blank = data[: len(data) - len(data.lstrip(b"\r\n"))]
        offset, line = offset + len(blank), line + count_line_ends(blank)
        if not blank or len(blank) < len(data):
            return Position(offset, line)


def _unreadable(detail: str) -> Refused:
    return Refused("unreadable_file", detail, [Complaint("file", detail)])


def _invalid(detail: str) -> Refused:
    return Refused("invalid", detail, [Complaint("file", detail)])
