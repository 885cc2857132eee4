"""The physical lines of a stored file, read in blocks of bounded size, however long the file or its lines are."""

from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 65_536

# What may end a line: in a delimited file CR alone too; in JSON Lines a CR is white space.
ANY_END = (b"\n", b"\r")
LF_END = (b"\n",)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; `ended` when the file ends with them. No data and not ended: the first line is longer than asked"""

    data: bytes
    ended: bool


def block_at(file: BinaryIO, offset: int, size: int, *, ends: tuple[bytes, ...] = ANY_END) -> Block:
    """The whole lines from `offset` on whose text ends within `size` bytes; the mark that ends the last may lie beyond.

    Which lines those are depends on `offset` and `size` alone, so a file is cut alike however it is read.
    """
    file.seek(offset)
    data = file.read(size + 2)  # room for CR LF behind the last line, or to see that CR stands alone
    ended = len(data) < size + 2
    if ended and len(data) <= size:
        return Block(data, True)
    mark = max(data.rfind(end, 0, size + 1) for end in ends)
    cut = mark + 2 if data[mark : mark + 2] == b"\r\n" else mark + 1
    return Block(data[:cut], ended and cut == len(data))


def next_line(file: BinaryIO, offset: int, *, ends: tuple[bytes, ...] = ANY_END) -> int:
    """Where the line after the one at `offset` begins; nothing of the line is kept."""
    file.seek(offset)
    while chunk := file.read(CHUNK):
        marks = [mark for mark in (chunk.find(end) for end in ends) if mark >= 0]
        if marks:
            return _behind(file, offset + min(marks))
        offset += len(chunk)
    return offset


def _behind(file: BinaryIO, mark: int) -> int:
    file.seek(mark)
    return mark + (2 if file.read(2) == b"\r\n" else 1)


def start_of(file: BinaryIO, offset: int, size: int) -> bytes:
    """The first bytes of a line that is too long to be read."""
    file.seek(offset)
    return file.read(size)


def only_blank(file: BinaryIO, offset: int, *, until: int | None = None, blank: bytes = b"\r\n") -> bool:
    """Whether nothing but blank bytes stands from `offset` on (`until` an offset, else the file's end)."""
    file.seek(offset)
    while chunk := file.read(CHUNK if until is None else min(CHUNK, until - offset)):
        if chunk.strip(blank):
            return False
        offset += len(chunk)
    return True


def count_lines(data: bytes) -> int:
    """How many line ends stand in these bytes: LF, CR LF and CR."""
    ends = data.count(b"\n")
    return ends + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else ends
