"""What a blob is, wherever it is stored: a file that is written once and gets its name when it is complete."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from app.errors import Retryable

PRIVATE_FILE = 0o600


class BlobMissing(Exception):
    """No blob with that name is stored."""


class BlobsUnavailable(Retryable):
    """The store cannot be reached, or does not do what it is asked. The text is for the operator."""


class BlobWriter:
    """Writes a blob, which exists under its name only after `commit`. Blocking: call it in a thread.

    `store` gets the finished file and the name, and puts the file where it belongs.
    """

    def __init__(self, name: str, path: Path, store: Callable[[Path, str], None]) -> None:
        self.name = name
        self.size = 0
        self._store = store
        self._path = path
        # Personal data: nobody else may read it, whatever the umask of the process.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def open_for_reading(self) -> BinaryIO:
        """Opens what has been written so far."""
        self._file.flush()
        return self._path.open("rb")

    def commit(self) -> str:
        """Makes the blob durable and gives it its name, which is returned. From then on a power cut cannot lose it. If
        it raises BlobsUnavailable, `abort` must still be called."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._store(self._path, self.name)
        return self.name

    def abort(self) -> None:
        """Removes what was written. Does nothing after `commit` or a second time."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Blobs(Protocol):
    """A store of blobs. Every method blocks, so call it in a thread, and every method may raise BlobsUnavailable."""

    def create(self) -> BlobWriter:
        """A new blob. It uses only this machine until it is committed."""

    def open(self, name: str) -> BinaryIO:
        """Opens the blob for reading. Raises BlobMissing."""

    def prefetch(self, name: str) -> None:
        """Does in advance what would make `open` slow. Does nothing if there is no such blob."""

    def delete(self, name: str) -> None:
        """Does nothing if there is no such blob."""

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """The names of stored blobs older than `seconds`. Also removes unfinished blobs of that age."""

    def check(self) -> None:
        """Writes something and removes it, within a few seconds. Raises OSError or BlobsUnavailable if that fails."""
