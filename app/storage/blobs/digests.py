"""Digests of a stored file, block by block: a slice begins anywhere in the file and checks what it reads."""

import hashlib
from typing import Final

BLOCK_BYTES: Final = 1_048_576
DIGEST_BYTES: Final = 16


class BlockDigests:
    """Computes the digests of a file while it is written."""

    def __init__(self) -> None:
        self._ended = bytearray()
        self._block = new_digest()
        self._room = BLOCK_BYTES

    def add(self, data: bytes) -> None:
        """Takes the next bytes of the file, in pieces of any size."""
        rest = memoryview(data)
        while rest:
            piece, rest = rest[: self._room], rest[self._room :]
            self._block.update(piece)
            self._room -= len(piece)
            if not self._room:
                self._end_block()

    def end(self) -> bytes:
        """The digests of all blocks, DIGEST_BYTES each; the last block may be short. None of an empty file."""
        if self._room < BLOCK_BYTES:
            self._end_block()
        return bytes(self._ended)

    def _end_block(self) -> None:
        self._ended += self._block.digest()
        self._block, self._room = new_digest(), BLOCK_BYTES


def new_digest(data: bytes | memoryview = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES, usedforsecurity=False)


def fits_digest(block: bytes | memoryview, number: int, digests: bytes) -> bool:
    """Whether these are the bytes of the block with this number, from 0 on. After the last block there are none."""
    expected = digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
    return new_digest(block).digest() == expected if expected else not block
