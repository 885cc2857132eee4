"""Reads a stream of a compound file, the file system in which .xls keeps its workbook (MS-CFB)."""

import struct
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

LARGEST_SECTOR: Final = 0xFFFFFFFA  # beyond are marks, not sectors
ENTRY_BYTES, NAME_BYTES = 128, 64
ROOT, STREAM = 5, 2  # types of entries
HEADER_SECTORS: Final = 109  # of the table of sectors that the header names


class CompoundFile:
    """Raises struct.error, IndexError and ValueError for a damaged one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift, small_shift = struct.unpack_from("<HH", data, 30)
        self._size, self._small_size = 1 << shift, 1 << small_shift
        first_entry, _, self._cutoff, first_small, _, first_more = struct.unpack_from("<IIIIII", data, 48)
        tables = list(struct.unpack_from(f"<{HEADER_SECTORS}I", data, 76))
        while first_more < LARGEST_SECTOR and len(tables) * self._size < len(data):
            *more, first_more = self._numbers((first_more,))
            tables += more
        self._next = self._numbers(each for each in tables if each < LARGEST_SECTOR)
        self._next_small = self._numbers(self._chain(first_small, self._next))
        self._entries = self._read(first_entry)

    def read(self, *names: str) -> bytes:
        """The first of these streams that there is. Raises ValueError."""
        small = b""
        found: dict[str, bytes] = {}
        for at in range(0, len(self._entries) - ENTRY_BYTES + 1, ENTRY_BYTES):
            entry = self._entries[at : at + ENTRY_BYTES]
            (length,) = struct.unpack_from("<H", entry, NAME_BYTES)
            name = entry[: max(0, length - 2)].decode("utf-16-le", "replace")
            if entry[66] == ROOT:
                small = self._read(struct.unpack_from("<I", entry, 116)[0])
            elif entry[66] == STREAM:
                found.setdefault(name.lower(), entry)
        entry = next((found[name.lower()] for name in names if name.lower() in found), b"")
        if not entry:
            raise ValueError(names)
        first, length = struct.unpack_from("<II", entry, 116)
        if length >= self._cutoff:
            return self._read(first)[:length]
        size = self._small_size
        return b"".join(small[at * size : (at + 1) * size] for at in self._chain(first, self._next_small))[:length]

    def _read(self, first: int) -> bytes:
        return b"".join(map(self._sector, self._chain(first, self._next)))

    def _sector(self, number: int) -> bytes:
        return self._data[(number + 1) * self._size : (number + 2) * self._size]

    def _numbers(self, sectors: Iterable[int]) -> Sequence[int]:
        data = b"".join(map(self._sector, sectors))
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    @staticmethod
    def _chain(first: int, following: Sequence[int]) -> Iterable[int]:
        """The sectors of a chain; one that goes round in a circle ends."""

        def follow() -> Iterable[int]:
            sector = first
            while sector < LARGEST_SECTOR and sector < len(following):
                yield sector
                sector = following[sector]

        return islice(follow(), len(following))
