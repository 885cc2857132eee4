"""What a blob is, wherever it is stored: a file that is written once and gets its name when it is complete."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from app.storage.blobs.digests import BlockDigests
from app.storage.blobs.errors import translate_os_errors
from app.storage.blobs.stored_file import StoredFile

PRIVATE_FILE = 0o600


class BlobWriter:
    """Writes a blob, which exists under its name only after `commit`. Blocking: call it in a thread. Every method but
    `abort` may raise BlobsUnavailable, and `abort` must still be called then.

    `store` gets the finished file and the name, and puts the file where it belongs.
    """

    @translate_os_errors()
    def __init__(self, name: str, path: Path, store: Callable[[Path, str], None]) -> None:
        self.name = name
        self.size = 0
        self.digests = b""  # of its blocks, once it is committed
        self._blocks = BlockDigests()
        self._store = store
        self._path = path
        # Personal data: nobody else may read it, whatever the umask of the process.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")

    @translate_os_errors()
    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._blocks.add(data)
        self.size += len(data)

    def open_for_reading(self) -> BinaryIO:
        """Opens what has been written so far."""
        return io.BufferedReader(StoredFile(self.open_unchecked()))

    @translate_os_errors()
    def open_unchecked(self) -> io.FileIO:
        """The same as a plain file."""
        self._file.flush()
        return self._path.open("rb", buffering=0)

    @translate_os_errors()
    def sync(self) -> None:
        """Makes durable what has been written so far."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @translate_os_errors()
    def commit(self) -> str:
        """Makes the blob durable and gives it its name, which is returned. From then on a power cut cannot lose it."""
        self.sync()
        self._file.close()
        self._store(self._path, self.name)
        self.digests = self._blocks.end()
        return self.name

    def abort(self) -> None:
        """Removes what was written. Does nothing after `commit` or a second time. What cannot be removed now, the sweep
        of unfinished blobs removes."""
        with suppress(OSError):  # closing writes what is still in memory
            self._file.close()
        with suppress(OSError):
            self._path.unlink()


class Blobs(Protocol):
    """A store of blobs. Every method blocks, so call it in a thread, and every method may raise BlobsUnavailable: also
    if the store does not have the mark `store_id`, where one is set (app.storage.blobs.marker)."""

    store_id: str | None

    def read_mark(self) -> str | None:
        """The mark that is in the store; None if there is none."""

    def write_mark(self, store_id: str) -> None:
        """Puts a mark into the store."""

    def create(self) -> BlobWriter:
        """A new blob. It uses only this machine until it is committed."""

    def open(self, name: str, digests: bytes | None = None) -> BinaryIO:
        """Opens the blob for reading. `digests` are those of its writer: with them every block is checked before a byte
        of it is given, the first one at once. Raises BlobMissing, BlobDamaged; reading raises what StoredFile does."""

    def delete(self, name: str) -> None:
        """Does nothing if there is no such blob."""

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """The names of stored blobs older than `seconds`. Also removes unfinished blobs of that age."""

    def check(self) -> None:
        """Writes something and removes it, within a few seconds. Raises BlobsUnavailable if that fails."""
