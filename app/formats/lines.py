"""The physical lines of a stored file, read in blocks of bounded size, however long the file or its lines are."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

CHUNK_BYTES = 65_536
EXCERPT_CHARACTERS = 1_024  # kept of a record that is too long to be read, whatever the limits

# What may end a line. In a delimited file a CR alone does too; in JSON Lines a CR is white space.
ANY_LINE_END = (b"\n", b"\r")
LF_LINE_END = (b"\n",)
# Beside delimiters, a line that is not a row may hold these.
BLANK_ROW_CHARACTERS = 16_384  # as many as Excel has columns
BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines. `ends_file`: the file ends with them. A block without data that does not end the file means that the
    first line is longer than the block may be."""

    data: bytes
    ends_file: bool


def read_block(file: BinaryIO, offset: int, size: int, *, line_ends: tuple[bytes, ...] = ANY_LINE_END) -> Block:
    """The whole lines from `offset` on whose text ends within `size` bytes. The end of the last line may lie beyond.

    Which lines these are depends on `offset` and `size` alone, so a file is always cut the same way.
    """
    file.seek(offset)
    data = file.read(size + 2)  # room for CR LF after the last line, or to see that a CR stands alone
    at_end = len(data) < size + 2
    if at_end and len(data) <= size:
        return Block(data, True)
    line_end = max(data.rfind(end, 0, size + 1) for end in line_ends)
    cut = line_end + 2 if data[line_end : line_end + 2] == b"\r\n" else line_end + 1
    return Block(data[:cut], at_end and cut == len(data))


def find_next_line(file: BinaryIO, offset: int, *, line_ends: tuple[bytes, ...] = ANY_LINE_END) -> int:
    """Where the line after the one at `offset` begins. Nothing of the line is kept in memory."""
    file.seek(offset)
    while chunk := file.read(CHUNK_BYTES):
        found = [at for at in (chunk.find(end) for end in line_ends) if at >= 0]
        if found:
            return _skip_line_end(file, offset + min(found))
        offset += len(chunk)
    return offset


def _skip_line_end(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    return offset + (2 if file.read(2) == b"\r\n" else 1)


def read_excerpt(file: BinaryIO, offset: int, max_bytes: int) -> str:
    """The beginning of a line that is too long: at most EXCERPT_CHARACTERS, decoded with `surrogateescape`."""
    file.seek(offset)
    # A character takes at most four bytes.
    data = file.read(min(4 * EXCERPT_CHARACTERS, max_bytes))
    return data.decode("utf-8", "surrogateescape")[:EXCERPT_CHARACTERS]


def limit_lines(data: bytes, count: int) -> bytes:
    """The first of these whole lines, which end with LF."""
    if data.count(b"\n") < count:
        return data
    lines = data.split(b"\n", count)
    return data[: len(data) - len(lines[count])]


def is_rest_blank(file: BinaryIO, offset: int, *, until: int | None = None, blank: bytes = b"\r\n") -> bool:
    """Whether there are only `blank` bytes from `offset` on, up to the offset `until` or to the end of the file."""
    file.seek(offset)
    while chunk := file.read(CHUNK_BYTES if until is None else min(CHUNK_BYTES, until - offset)):
        if chunk.strip(blank):
            return False
        offset += len(chunk)
    return True


def is_blank_row(line: str, delimiter: str) -> bool:
    """Whether a line, not empty, holds nothing but delimiters and blanks, as spreadsheets write below their data. A
    quote makes it a row: somebody wrote an empty value. So does a length that no spreadsheet gives it."""
    line = line.rstrip("\r\n")
    return len(line) <= BLANK_ROW_CHARACTERS and not line.strip(BLANKS + delimiter)


def find_blank_rows(text: str, records: Sequence[Sequence[str]], ends: Sequence[int], delimiter: str) -> set[int]:
    """The indexes of the records that are lines of nothing but delimiters and blanks."""
    if all(records) and all(map(str.strip, map(itemgetter(0), records))):
        return set()
    lines = list(io.StringIO(text, newline=""))
    return {
        index
        for index, record in enumerate(records)
        if record and not record[0].strip(BLANKS) and is_blank_row(lines[ends[index]], delimiter)
    }


def count_line_ends(data: bytes) -> int:
    """How many times LF, CR LF or a CR alone ends a line."""
    line_feeds = data.count(b"\n")
    return line_feeds + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else line_feeds
