"""Blobs in a folder of this machine, or one that several machines have mounted."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.storage.blobs.blob import BlobMissing, BlobWriter

PRIVATE_FOLDER = 0o700


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

    def create(self, name: str | None = None) -> BlobWriter:
        """A new blob; with a `name`, a copy of one that has it already."""
        unfinished = secrets.token_hex(16)
        return BlobWriter(name or unfinished, self.incoming / unfinished, self.keep)

    def keep(self, path: Path, name: str) -> None:
        """Gives a finished file its name."""
        final = self.path(name)
        final.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        path.rename(final)
        sync_folder(final.parent)
        # Always: another process may have made the folder a moment ago, and not have synced it yet.
        sync_folder(self.stored)

    def open(self, name: str) -> BinaryIO:
        """The blob, open for reading. Raises BlobMissing."""
        try:
            return self.path(name).open("rb")
        except FileNotFoundError:
            raise BlobMissing(name) from None

    def prefetch(self, name: str) -> None:
        """Nothing: it is here."""

    def delete(self, name: str) -> None:
        """Harmless when there is no such blob."""
        self.path(name).unlink(missing_ok=True)

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """Names of stored blobs older than `seconds`; unfinished ones of that age are removed on the way."""
        self.remove_unfinished(seconds)
        oldest = time.time() - seconds
        for path in self.stored.glob("*/*"):
            if modified(path) < oldest:
                yield path.name

    def remove_unfinished(self, seconds: float) -> None:
        """Those that nobody has written to for so long."""
        oldest = time.time() - seconds
        for path in self.incoming.iterdir():
            if modified(path) < oldest:
                path.unlink(missing_ok=True)

    def check(self) -> None:
        """Raises OSError when nothing can be written."""
        writer = self.create()
        try:
            writer.write(b"ready")
        finally:
            writer.abort()

    def path(self, name: str) -> Path:
        return self.stored / name[:2] / name


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
