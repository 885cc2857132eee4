"""Numbers of rows of a file, as compact as they can be kept."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice


@dataclass(slots=True)
class RowSet:
    """Row numbers from 1. `bits` has one for each row of the file: 75 kB for 600,000 rows."""

    bits: bytearray = field(default_factory=bytearray)

    def add(self, row: int) -> None:
        place = row >> 3
        if place >= len(self.bits):
            self.bits.extend(bytes(place + 1 - len(self.bits)))
        self.bits[place] |= 1 << (row & 7)

    def unite(self, other: "RowSet") -> None:
        both = self.number | other.number
        self.bits = bytearray(both.to_bytes((both.bit_length() + 7) // 8, "little"))

    def overlaps(self, other: "RowSet") -> bool:
        return bool(self.number & other.number)

    def count(self) -> int:
        return self.number.bit_count()

    def take_first(self, count: int) -> "RowSet":
        """The first rows of it, in the order of the file."""
        taken = RowSet()
        for row in islice(self, count):
            taken.add(row)
        return taken

    def pick(self, places: "RowSet") -> "RowSet":
        """Those at these places of it, from 1."""
        picked = RowSet()
        for place, row in enumerate(self, 1):
            if place in places:
                picked.add(row)
        return picked

    def pack(self) -> bytes:
        return zlib.compress(self.bits)

    @classmethod
    def unpack(cls, packed: bytes) -> "RowSet":
        return cls(bytearray(zlib.decompress(packed)))

    @property
    def number(self) -> int:
        """The bits as one number."""
        return int.from_bytes(self.bits, "little")

    def __contains__(self, row: int) -> bool:
        place = row >> 3
        return place < len(self.bits) and bool(self.bits[place] >> (row & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self.bits):
            yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)

    def __bool__(self) -> bool:
        return any(self.bits)
