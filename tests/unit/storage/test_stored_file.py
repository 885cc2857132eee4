"""What is read of a stored file is checked, and checked once."""

import io
import random
from pathlib import Path

import pytest

from app.storage.blobs.digests import BLOCK_BYTES, BlockDigests
from app.storage.blobs.errors import BlobDamaged
from app.storage.blobs.stored_file import KEPT_BYTES, StoredFile

DATA = random.Random(7).randbytes(3 * BLOCK_BYTES + 1_000)
PIECE = 65_536


class CountingFile(io.FileIO):
    """Counts the bytes that are read."""

    count = 0

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        size = super().readinto(buffer) or 0
        self.count += size
        return size


def open_stored(path: Path, data: bytes = DATA) -> tuple[CountingFile, StoredFile]:
    """A file with `data` that was stored as DATA."""
    digests = BlockDigests()
    digests.add(DATA)
    path.write_bytes(data)
    file = CountingFile(path)
    return file, StoredFile(file, digests.end())


def test_who_looks_back_by_a_piece_reads_no_block_twice(tmp_path: Path) -> None:
    counting, stored = open_stored(tmp_path / "blob")
    with stored, io.BufferedReader(stored) as file:
        for offset in range(0, len(DATA), PIECE - 9):
            for _ in range(2):
                file.seek(offset)
                assert file.read(PIECE) == DATA[offset : offset + PIECE]
        assert counting.count == len(DATA)


def test_whatever_is_read_in_any_order_is_as_it_was_stored(tmp_path: Path) -> None:
    _, stored = open_stored(tmp_path / "blob")
    places = random.Random(5)
    with stored, io.BufferedReader(stored) as file:
        for _ in range(60):
            near = places.choice((0, 1, 2, 3)) * BLOCK_BYTES + places.randint(-KEPT_BYTES - 9, KEPT_BYTES)
            offset, size = max(0, near), places.randint(1, 3 * PIECE)
            file.seek(offset)
            assert file.read(size) == DATA[offset : offset + size]


def test_no_byte_of_a_damaged_block_is_given_behind_a_good_one(tmp_path: Path) -> None:
    bad = bytearray(DATA)
    bad[BLOCK_BYTES + 5] ^= 1
    _, stored = open_stored(tmp_path / "blob", bytes(bad))
    with stored:
        stored.seek(BLOCK_BYTES - 10)
        assert stored.read(PIECE) == DATA[BLOCK_BYTES - 10 : BLOCK_BYTES]
        for _ in range(2):
            stored.seek(BLOCK_BYTES)
            with pytest.raises(BlobDamaged):
                stored.read(1)
        stored.seek(BLOCK_BYTES - 10)
        assert stored.read(PIECE) == DATA[BLOCK_BYTES - 10 : BLOCK_BYTES]
