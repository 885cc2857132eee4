"""Reads a stored file, and gives no byte of a block that is not as it was written."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final

from app.storage.blobs.digests import BLOCK_BYTES, fits_digest
from app.storage.blobs.errors import BlobDamaged, translate_os_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Fetch = Callable[[], io.FileIO]
# Of the block before the one in memory. Readers look back by a piece: without its end both blocks were checked anew.
KEPT_BYTES: Final = 262_144


class StoredFile(io.RawIOBase):
    """An open file. Reading raises BlobsUnavailable, and BlobDamaged before anything of a bad block is given.

    `digests` are those of its blocks; None: nothing is checked. `fetch_again` opens another copy, for a blob that is
    also stored elsewhere: that is tried once before the blob counts as damaged.
    """

    def __init__(self, file: io.FileIO, digests: bytes | None = None, fetch_again: Fetch | None = None) -> None:
        self._file, self._digests, self._fetch_again = file, digests, fetch_again
        self._position = 0
        self._number = -1  # of the block in memory
        self._block = memoryview(b"")
        self._kept = b""  # the end of the block before it
        self._buffer: bytearray | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    @translate_os_errors()
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_CUR:
            offset, whence = self._position + offset, io.SEEK_SET
        self._position = self._file.seek(offset, whence)
        return self._position

    @translate_os_errors()
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        wanted = memoryview(buffer).cast("B")
        if self._digests is None:
            count = self._file.readinto(wanted)
        else:
            number, start = divmod(self._position, BLOCK_BYTES)
            found = self._find(number, start, self._digests)[: len(wanted)]
            count = len(found)
            wanted[:count] = found
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _find(self, number: int, start: int, digests: bytes) -> memoryview:
        """What is in memory of the block from there on. Raises BlobDamaged."""
        kept_from = BLOCK_BYTES - len(self._kept)
        if number == self._number - 1 and start >= kept_from:
            return memoryview(self._kept)[start - kept_from :]
        return self._load(number, digests)[start:]

    def _load(self, number: int, digests: bytes) -> memoryview:
        """The block with this number. Raises BlobDamaged."""
        if number == self._number:
            return self._block
        self._kept = bytes(self._block[-KEPT_BYTES:]) if number == self._number + 1 else b""
        self._number, self._block = -1, memoryview(b"")  # never two of them in memory
        if not fits_digest(self._read(number), number, digests):
            if self._fetch_again is None:
                raise BlobDamaged
            self._file.close()
            self._file, self._fetch_again = self._fetch_again(), None
            if not fits_digest(self._read(number), number, digests):
                raise BlobDamaged
        self._number = number
        return self._block

    def _read(self, number: int) -> memoryview:
        self._buffer = self._buffer or bytearray(BLOCK_BYTES)
        block, size = memoryview(self._buffer), 0
        self._file.seek(number * BLOCK_BYTES)
        while count := self._file.readinto(block[size:]):
            size += count
        self._block = block[:size]
        return self._block


def open_checked(file: io.FileIO, digests: bytes | None, fetch_again: Fetch | None = None) -> BinaryIO:
    """A blob for its readers, of which the first block is checked at once. Raises BlobDamaged, BlobsUnavailable."""
    opened = io.BufferedReader(StoredFile(file, digests, fetch_again))
    try:
        opened.peek(1)
    except BaseException:
        opened.close()
        raise
    return opened
