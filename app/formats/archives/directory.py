"""Reads the directory of a ZIP file: which entries there are and where, before a byte of any of them is unpacked.

Source: APPNOTE.TXT of PKWARE, sections 4.3 and 4.4. Python's `zipfile` is not used: it keeps a directory of any length
in memory, takes names for CP437 that are UTF-8, and which hazards it notices depends on its patch level.
"""

import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from struct import Struct
from typing import BinaryIO, Final

END: Final = Struct("<4s4H2LH")
END_MARK: Final = b"PK\x05\x06"
END64: Final = Struct("<4sQ2H2L4Q")
END64_MARK: Final = b"PK\x06\x06"
LOCATOR: Final = Struct("<4sLQL")
LOCATOR_MARK: Final = b"PK\x06\x07"
HEADER: Final = Struct("<4s6H3L5H2L")
HEADER_MARK: Final = b"PK\x01\x02"
ENTRY_MARK: Final = b"PK\x03\x04"
LONGEST_COMMENT: Final = 65_535
LONGEST_NAME: Final = 1_024  # bytes, with its folders
MOST_FIELDS: Final = 32  # beside the name of an entry; programs write three or four
MANY: Final = 0xFFFF  # in the place of a number that only the ZIP64 record holds
LARGE: Final = 0xFFFFFFFF
ENCRYPTED, UTF8 = 0x1, 0x800  # flags of an entry
DOS_FOLDER: Final = 0x10
ZIP64_FIELD, UNICODE_NAME_FIELD = 0x0001, 0x7075
NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class NotAnArchive(Exception):
    """The file cannot be read as a ZIP file at all; the message is a whole sentence that says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of one entry, all of which may be wrong. Offsets and sizes are in bytes."""

    path: str  # with its folders, without control characters
    start: int  # where its own header begins
    end: int  # where the next entry begins, or the directory: its bytes must end before
    packed: int
    size: int
    crc: int
    method: int
    is_encrypted: bool
    is_folder: bool
    is_special: bool  # a link, or something else that is neither a file nor a folder
    has_long_name: bool

    @property
    def name(self) -> str:
        """The last part of the path. Some programs write backslashes."""
        return re.split(r"[/\\]", self.path)[-1]


@dataclass(frozen=True, slots=True)
class Directory:
    """The entries in the order of the directory; `is_cut` if there are more of them than were asked for."""

    entries: tuple[Entry, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the directory is. `shift` is to be added to all offsets: something may stand before the archive."""

    start: int
    count: int
    end: int
    shift: int


def read_directory(file: BinaryIO, most: int) -> Directory:
    """The first `most` entries. Raises NotAnArchive."""
    place = find_directory(file)
    file.seek(place.start)
    entries = [read_header(file, place) for _ in range(min(place.count, most))]
    return Directory(tuple(bound_entries(entries, place.start)), place.count > most)


def find_directory(file: BinaryIO) -> Place:
    """Raises NotAnArchive."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END.size - LONGEST_COMMENT))
    tail = file.read()
    at = find_end(tail)
    if at is None:
        file.seek(0)
        begins = file.read(len(ENTRY_MARK)) == ENTRY_MARK
        raise NotAnArchive("The ZIP file is cut off: it has no end" if begins else "The file is not a ZIP file")
    _, disk, first_disk, _, count, length, offset, _ = END.unpack_from(tail, at)
    end = size - len(tail) + at
    if MANY in (disk, count) or LARGE in (length, offset):
        file.seek(max(0, end - LOCATOR.size))
        located = file.read(LOCATOR.size)
        if located.startswith(LOCATOR_MARK):
            return check_place(*read_end64(file, LOCATOR.unpack(located)[2], end - LOCATOR.size))
    if disk or first_disk:
        raise NotAnArchive("The ZIP file is one of several parts. Send it whole")
    return check_place(count, length, offset, end)


def find_end(tail: bytes) -> int | None:
    """Where the record at the end begins: the last one whose comment ends with the file."""
    at = tail.rfind(END_MARK)
    while at >= 0:
        if at + END.size <= len(tail) and at + END.size + END.unpack_from(tail, at)[-1] == len(tail):
            return at
        at = tail.rfind(END_MARK, 0, at)
    return None


def read_end64(file: BinaryIO, offset: int, end: int) -> tuple[int, int, int, int]:
    """The number of entries, the length and the offset of the directory, and where it ends. The record is found as it
    is placed, directly before `end`, or where it is said to be."""
    for at in (end - END64.size, offset):
        if 0 <= at <= end - END64.size:
            file.seek(at)
            record = file.read(END64.size)
            if record.startswith(END64_MARK):
                *_, count, length, start = END64.unpack(record)
                return count, length, start, at
    raise NotAnArchive("The ZIP file is damaged: its end does not say where its directory is")


def check_place(count: int, length: int, offset: int, end: int) -> Place:
    start = end - length
    if start < offset or length < count * HEADER.size:
        raise NotAnArchive("The ZIP file is damaged: its directory is not where it should be")
    return Place(start, count, end, start - offset)


def read_header(file: BinaryIO, place: Place) -> Entry:
    """The next entry of the directory. Raises NotAnArchive."""
    raw = file.read(HEADER.size)
    if len(raw) < HEADER.size or not raw.startswith(HEADER_MARK) or file.tell() > place.end:
        raise NotAnArchive("The ZIP file is damaged: its directory ends too early")
    _, _, _, flags, method, _, _, crc, packed, size, *lengths, _, _, attributes, start = HEADER.unpack(raw)
    name, extra, _ = (file.read(length) for length in lengths)
    fields = dict(split_extra(extra))
    size, packed, start = read_large(fields.get(ZIP64_FIELD, b""), (size, packed, start))
    path = decode_name(name[:LONGEST_NAME], flags, fields.get(UNICODE_NAME_FIELD, b""))
    kind = stat.S_IFMT(attributes >> 16)
    return Entry(
        path=NOT_SHOWN.sub("\ufffd", path),
        start=start + place.shift,
        end=place.start,
        packed=packed,
        size=size,
        crc=crc,
        method=method,
        is_encrypted=bool(flags & ENCRYPTED),
        is_folder=path.endswith(("/", "\\")) or kind == stat.S_IFDIR or bool(attributes & DOS_FOLDER),
        is_special=kind not in (0, stat.S_IFREG, stat.S_IFDIR),
        has_long_name=len(name) > LONGEST_NAME,
    )


def split_extra(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(MOST_FIELDS):
        field, size = (int.from_bytes(extra[each : each + 2], "little") for each in (at, at + 2))
        yield field, extra[at + 4 : at + 4 + size]
        at += 4 + size
        if at >= len(extra):
            return


def read_large(field: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """Size, packed size and start: those that do not fit into 32 bits are in the field, in this order."""
    found = []
    for number in numbers:
        is_large = number == LARGE and len(field) >= 8
        found.append(int.from_bytes(field[:8], "little") if is_large else number)
        field = field[8:] if is_large else field
    return found[0], found[1], found[2]


def decode_name(name: bytes, flags: int, unicode_field: bytes) -> str:
    """Many programs write UTF-8 without saying so, and hardly any text in another encoding is valid UTF-8."""
    if unicode_field[:1] == b"\1" and unicode_field[1:5] == zlib.crc32(name).to_bytes(4, "little"):
        return unicode_field[5 : 5 + LONGEST_NAME].decode(errors="replace")
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode(errors="replace") if flags & UTF8 else name.decode("cp437")


def bound_entries(entries: list[Entry], directory: int) -> Iterator[Entry]:
    """The entries in their order, each with its end. Of entries that begin at one place only one has any room."""
    by_place = sorted(range(len(entries)), key=lambda number: entries[number].start)
    ends = {number: entries[following].start for number, following in pairwise(by_place)}
    return (replace(entry, end=min(directory, ends.get(number, directory))) for number, entry in enumerate(entries))
