"""What a blob is, wherever it is stored: a file that is written once, and has its name only when it is whole."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from app.errors import Retryable

PRIVATE_FILE = 0o600


class BlobMissing(Exception):
    """No blob of that name is stored."""


class BlobsUnavailable(Retryable):
    """The store cannot be reached, or does not do what it is asked. `text` is for the operator."""


class BlobWriter:
    """A blob that is being written; it exists under its name only after `commit`. Blocking: call it in a thread.

    `keep` is given the finished file and the name, and puts it where it belongs.
    """

    def __init__(self, name: str, path: Path, keep: Callable[[Path, str], None]) -> None:
        self.name = name
        self.size = 0
        self._keep = keep
        self._path = path
        # Personal data: whatever the process' umask is, nobody else reads it.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def open_for_reading(self) -> BinaryIO:
        """What has been written so far, open for reading."""
        self._file.flush()
        return self._path.open("rb")

    def commit(self) -> str:
        """Makes the blob durable and gives it its name: after this a power cut cannot lose it. Raises BlobsUnavailable;
        then `abort` is still to be called."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._keep(self._path, self.name)
        return self.name

    def abort(self) -> None:
        """Leaves nothing behind. Harmless after `commit` or a second time."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Blobs(Protocol):
    """A store of blobs. All of it is blocking: call it in a thread. Each method may raise BlobsUnavailable."""

    def create(self) -> BlobWriter:
        """A new blob, which touches nothing but this machine until it is committed."""

    def open(self, name: str) -> BinaryIO:
        """The blob, open for reading. Raises BlobMissing."""

    def prefetch(self, name: str) -> None:
        """Does beforehand what makes `open` slow, if anything does. Harmless when there is no such blob."""

    def delete(self, name: str) -> None:
        """Harmless when there is no such blob."""

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """Names of stored blobs older than `seconds`; unfinished ones of that age are removed on the way."""

    def check(self) -> None:
        """Writes something and removes it, within a few seconds. Raises OSError or BlobsUnavailable."""
