"""The first record of a delimited file: its column headings."""

from collections.abc import Sequence
from typing import BinaryIO

from app.errors import Complaint, Refused
from app.formats.collecting import BAD, bad_character
from app.formats.lines import CHUNK, block_at, count_lines
from app.formats.quoting import Broken, Grammar, record_at
from app.formats.records import Dialect, Limits, Position, Reader

LONGEST = 255  # characters of a heading; each may stand in every record and in every problem
SHOWN = 40  # of those, in a refusal

# How much is looked at in one go when a nameless column must be searched for data.
SEARCH_ROWS = 2_000
SEARCH_BYTES = 1_048_576


def read_header(
    file: BinaryIO, known: Grammar, *, dialect: Dialect, limits: Limits
) -> tuple[tuple[str, ...], Position]:
    """The headings, trimmed, and where the records begin: those of the file's first record, or `dialect.columns` in
    their place. Raises Refused when there are none that can be used."""
    cells, end = _first_record(file, known, dialect=dialect, limits=limits) if dialect.has_header else ([], Position())
    if dialect.columns:
        cells = list(dialect.columns)
    if not cells:
        raise _invalid("The columns have no names: the file has no header, and none were given")
    if len(cells) > limits.columns:
        raise _invalid(f"The header has {len(cells)} columns, at most {limits.columns} are allowed")
    headings = tuple(cell.strip() for cell in cells)
    _refuse_long(headings)
    return headings, end


def _first_record(file: BinaryIO, known: Grammar, *, dialect: Dialect, limits: Limits) -> tuple[list[str], Position]:
    """Its cells, and where the one after it begins."""
    start = _behind_blank_lines(file)
    block = block_at(file, start.offset, limits.record_bytes)
    if not block.data:
        reason = "holds only blank lines" if block.ended else f"has a header longer than {limits.record_bytes} bytes"
        raise _unusable(f"The file {reason}")
    text = block.data.decode("utf-8", "surrogateescape")
    record = record_at(text, 0, known, closed=True)
    if record is None or isinstance(record, Broken):
        raise _unusable("The header has a quote that is not closed, or closed too early")
    raw = text[: record.end]
    bad = BAD.search(raw)
    if bad:
        raise _unusable(f"The header cannot be read: {bad_character(raw, bad.start(), dialect.encoding)[1]}")
    size = len(raw.encode())
    return record.cells, Position(start.offset + size, start.line + max(1, count_lines(block.data[:size])))


def _refuse_long(headings: Sequence[str]) -> None:
    for number, heading in enumerate(headings, 1):
        if len(heading) > LONGEST:
            found = f"{heading[:SHOWN]!r}… has {len(heading)} characters"
            raise _invalid(f"The heading of column {number} {found}, at most {LONGEST} are allowed")


def refuse_data_without_heading(reader: Reader) -> None:
    """Raises Refused when a column without a heading holds data: nobody could say where it belongs."""
    nameless = [column for column, heading in enumerate(reader.header) if not heading]
    at, last = reader.first, not nameless
    while not last:
        batch = reader.read(at, max_rows=SEARCH_ROWS, max_bytes=SEARCH_BYTES)
        for record, line in zip(batch.records, batch.lines, strict=True):
            column = next((each for each in nameless if isinstance(record, list) and record[each].strip()), None)
            if column is not None:
                raise _invalid(f"Column {column + 1} has no heading, but line {line} holds data in it")
        at, last = batch.end, batch.last


def _behind_blank_lines(file: BinaryIO) -> Position:
    offset, line = 0, 1
    while True:
        data = block_at(file, offset, CHUNK).data
        blank = data[: len(data) - len(data.lstrip(b"\r\n"))]
        offset, line = offset + len(blank), line + count_lines(blank)
        if not blank or len(blank) < len(data):
            return Position(offset, line)


def _unusable(detail: str) -> Refused:
    return Refused("unreadable_file", detail, [Complaint("file", detail)])


def _invalid(detail: str) -> Refused:
    return Refused("invalid", detail, [Complaint("file", detail)])
