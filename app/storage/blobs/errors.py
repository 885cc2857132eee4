"""What can be wrong with stored files, and the words for the machine's trouble with them."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from app.errors import Retryable

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


MARKER: Final = ".sluice-store"
UNKNOWN_STORE: Final = (
    f"The store of files is not mounted, or is not the one that the database knows: it lacks the mark `{MARKER}`. "
    "Mount it. If its files are lost for good, run `sluice blobs adopt`"
)


class BlobMissing(Exception):
    """No blob with that name is stored."""


class BlobDamaged(Exception):
    """A blob is not what was stored: some of it has changed, or is gone."""


class BlobsUnavailable(Retryable):
    """The store cannot be reached, or does not do what it is asked. The text is for the operator."""

    part = "storage"


class StoreUnknown(BlobsUnavailable):
    """The store answers, but it is not known to be the one of the database."""

    def __init__(self) -> None:
        super().__init__(UNKNOWN_STORE)


def require_mark(expected: str, found: str | None) -> None:
    """Raises StoreUnknown if the mark that was found in a store is not the one that is expected."""
    if found != expected:
        raise StoreUnknown


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """Raises BlobsUnavailable for trouble of this machine: no file and no caller is to blame for it."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        trouble = TROUBLES.get(error.errno or 0, f"The folder of the stored files cannot be used: {name}")
        raise BlobsUnavailable(trouble) from error
