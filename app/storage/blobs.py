"""Stored files: an upload becomes a blob before it is accepted, and every worker reads it from there."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


class BlobMissing(Exception):
    """No blob of that name is stored."""


class BlobWriter:
    """A blob that is being written; it exists under its name only after `commit`. Blocking: call it in a thread."""

    def __init__(self, store: "FileBlobs") -> None:
        self.name = secrets.token_hex(16)
        self.size = 0
        self._store = store
        self._path = store.incoming / self.name
        # Personal data: whatever the process' umask is, nobody else reads it.
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def reading(self) -> BinaryIO:
        """What has been written so far, open for reading."""
        self._file.flush()
        return self._path.open("rb")

    def commit(self) -> str:
        """Makes the blob durable and gives it its name: after this a power cut cannot lose it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        final = self._store.path(self.name)
        final.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        self._path.rename(final)
        sync_folder(final.parent)
        # Always: another process may have made the folder a moment ago, and not have synced it yet.
        sync_folder(self._store.stored)
        return self.name

    def abort(self) -> None:
        """Leaves nothing behind. Harmless after `commit` or a second time."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class FileBlobs:
    """Blobs in a local folder: `incoming/` while they are written, `stored/` afterwards."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.stored = root / "stored"
        root.parent.mkdir(parents=True, exist_ok=True)
        # One that was there may hold what is not ours, as /srv does: its mode is not ours to change.
        root.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        for folder in (self.incoming, self.stored):
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            # Another owner, as a mount may have, keeps the mode that was chosen.
            with suppress(PermissionError):
                folder.chmod(PRIVATE_FOLDER)
        sync_folder(root)

    def create(self) -> BlobWriter:
        return BlobWriter(self)

    def open(self, name: str) -> BinaryIO:
        """The blob, open for reading. Raises BlobMissing."""
        try:
            return self.path(name).open("rb")
        except FileNotFoundError:
            raise BlobMissing(name) from None

    def delete(self, name: str) -> None:
        """Harmless when there is no such blob."""
        self.path(name).unlink(missing_ok=True)

    def stale(self, seconds: float) -> Iterator[str]:
        """Names of stored blobs older than `seconds`; unfinished ones of that age are removed on the way."""
        oldest = time.time() - seconds
        for path in self.incoming.iterdir():
            if modified(path) < oldest:
                path.unlink(missing_ok=True)
        for path in self.stored.glob("*/*"):
            if modified(path) < oldest:
                yield path.name

    def path(self, name: str) -> Path:
        return self.stored / name[:2] / name


def open_blobs(url: str) -> FileBlobs:
    """The store that `url` names: `file:///folder`. Raises ValueError for any other scheme."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ValueError(f"SLUICE_BLOBS must be file:///folder, not {parts.scheme}://")
    return FileBlobs(Path(unquote(parts.path)))


def modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # deleted by another process meanwhile
        return time.time()


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
