"""Blobs in a folder of this machine, or in one that several machines have mounted."""

import io
import math
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.storage.blobs.blob import BlobWriter
from app.storage.blobs.errors import MARKER, BlobMissing, require_mark, translate_os_errors
from app.storage.blobs.stored_file import open_checked

PRIVATE_FOLDER = 0o700


class FileBlobs:
    """Blobs in a folder: they are in `incoming/` while they are written and in `stored/` afterwards."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store_id: str | None = None
        self.incoming = root / "incoming"
        self.stored = root / "stored"
        root.parent.mkdir(parents=True, exist_ok=True)
        # A folder that exists already may belong to others too, like /srv: its mode stays as it is.
        root.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        for folder in (self.incoming, self.stored):
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            # A mount may have another owner; then the mode that was chosen there stays.
            with suppress(PermissionError):
                folder.chmod(PRIVATE_FOLDER)
        sync_folder(root)

    def create(self, name: str | None = None) -> BlobWriter:
        """A new blob. With a `name`, a copy of the blob that has this name elsewhere."""
        self.require_mark()
        new_name = secrets.token_hex(16)
        return BlobWriter(name or new_name, self.incoming / new_name, self.store)

    @translate_os_errors()
    def store(self, path: Path, name: str) -> None:
        """Moves a finished file to its name, durably."""
        final = self.path(name)
        final.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        path.rename(final)
        sync_folder(final.parent)
        # Always, because another process may have made the folder a moment ago and not have synced it yet.
        sync_folder(self.stored)

    def open(self, name: str, digests: bytes | None = None) -> BinaryIO:
        """Opens the blob for reading. Raises BlobMissing, BlobDamaged."""
        return open_checked(self.open_unchecked(name), digests)

    @translate_os_errors()
    def open_unchecked(self, name: str) -> io.FileIO:
        """Raises BlobMissing."""
        try:
            return self.path(name).open("rb", buffering=0)
        except FileNotFoundError:
            self.require_mark()
            raise BlobMissing(name) from None

    @translate_os_errors()
    def delete(self, name: str) -> None:
        """Does nothing if there is no such blob."""
        self.path(name).unlink(missing_ok=True)

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """The names of stored blobs older than `seconds`. Also removes unfinished blobs of that age."""
        self.require_mark()
        self.remove_unfinished(seconds)
        with translate_os_errors():
            oldest = self.now() - seconds
            for path in self.stored.glob("*/*"):
                if modified_at(path) < oldest:
                    yield path.name

    @translate_os_errors()
    def remove_unfinished(self, seconds: float) -> None:
        """Removes the unfinished blobs that nobody has written to for so long."""
        oldest = self.now() - seconds
        for path in self.incoming.iterdir():
            if modified_at(path) < oldest:
                path.unlink(missing_ok=True)

    def now(self) -> float:
        """The time by the clock that dates the files, in seconds since 1970. Of a mounted folder that is its server's
        clock; that of this machine may be hours away from it. Takes no room, so that it works on a full disk."""
        os.utime(self.incoming)
        return self.incoming.stat().st_mtime

    def check(self) -> None:
        """Raises BlobsUnavailable if nothing can be written."""
        writer = self.create()
        try:
            writer.write(b"ready")
            writer.sync()
        finally:
            writer.abort()

    def require_mark(self) -> None:
        """Raises BlobsUnavailable if this is not the folder that it should be."""
        if self.store_id is not None:
            require_mark(self.store_id, self.read_mark())

    @translate_os_errors()
    def read_mark(self) -> str | None:
        try:
            return (self.root / MARKER).read_text(errors="replace")
        except FileNotFoundError:
            return None

    @translate_os_errors()
    def write_mark(self, store_id: str) -> None:
        unfinished = self.incoming / secrets.token_hex(16)
        with unfinished.open("w") as file:  # durable, because what the database knows of it is
            file.write(store_id)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.root / MARKER)
        sync_folder(self.root)

    def path(self, name: str) -> Path:
        return self.stored / name[:2] / name


def modified_at(path: Path) -> float:
    """In seconds since 1970, by the clock of `FileBlobs.now`."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has deleted it
        return math.inf


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
