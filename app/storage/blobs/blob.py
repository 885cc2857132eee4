"""What a blob is, wherever it is stored: a file that is written once and gets its name when it is complete."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from app.errors import Retryable

PRIVATE_FILE = 0o600
# What the operator reads about each trouble of the machine.
TROUBLES: Final[Mapping[int, str]] = {
    errno.ENOSPC: "The disk of the stored files is full",
    errno.EDQUOT: "The disk quota of the stored files is used up",
    errno.EFBIG: "This process may not write files so large (`ulimit -f`)",
    errno.EROFS: "The disk of the stored files can only be read",
    errno.EIO: "The disk of the stored files reports errors",
    errno.ENOENT: "The folder of the stored files is missing. Check that it is mounted",
    errno.ESTALE: "The folder of the stored files has to be mounted again",
    errno.EACCES: "This process has no permission to use the folder of the stored files",
    errno.EPERM: "This process has no permission to use the folder of the stored files",
    errno.EMFILE: "This process has too many open files. Raise its limit (`ulimit -n`)",
    errno.ENFILE: "This machine has too many open files",
    errno.ENOMEM: "This machine has no memory left",
}


class BlobMissing(Exception):
    """No blob with that name is stored."""


class BlobsUnavailable(Retryable):
    """The store cannot be reached, or does not do what it is asked. The text is for the operator."""


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """Raises BlobsUnavailable for trouble of this machine: no file and no caller is to blame for it."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        trouble = TROUBLES.get(error.errno or 0, f"The folder of the stored files cannot be used: {name}")
        raise BlobsUnavailable(trouble) from error


class BlobWriter:
    """Writes a blob, which exists under its name only after `commit`. Blocking: call it in a thread. Every method but
    `abort` may raise BlobsUnavailable, and `abort` must still be called then.

    `store` gets the finished file and the name, and puts the file where it belongs.
    """

    @translate_os_errors()
    def __init__(self, name: str, path: Path, store: Callable[[Path, str], None]) -> None:
        self.name = name
        self.size = 0
        self._store = store
        self._path = path
        # Personal data: nobody else may read it, whatever the umask of the process.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")

    @translate_os_errors()
    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    @translate_os_errors()
    def open_for_reading(self) -> BinaryIO:
        """Opens what has been written so far."""
        self._file.flush()
        return self._path.open("rb")

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
        return self.name

    def abort(self) -> None:
        """Removes what was written. Does nothing after `commit` or a second time. What cannot be removed now, the sweep
        of unfinished blobs removes."""
        with suppress(OSError):  # closing writes what is still in memory
            self._file.close()
        with suppress(OSError):
            self._path.unlink()


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
        """Writes something and removes it, within a few seconds. Raises BlobsUnavailable if that fails."""
