"""Blobs in a bucket that several machines share, each with copies of those that it works on."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from app.storage.blobs.blob import BlobMissing, BlobsUnavailable, BlobWriter
from app.storage.blobs.files import FileBlobs, modified
from app.storage.blobs.s3 import Bucket, Torn

NAME: Final = re.compile(r"[0-9a-f]{32}")  # what may stand beside our blobs in a bucket is not ours to delete
TRIES: Final = 3  # for a blob whose transfer broke off; each request has tries of its own
# A copy that nobody has read for so long goes, so that none outlives by much the blob that another machine has deleted.
UNUSED_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Copy:
    """A blob as it lies in the local folder."""

    path: Path
    size: int
    used: float  # when it was written or last opened, by the system's clock


class SharedBlobs:
    """Blobs in a bucket. A blob is written and read as a local file in `copies`, a folder that the processes of one
    machine may share; what lies there may be lost at any time. It holds about `most_bytes`."""

    def __init__(self, bucket: Bucket, copies: FileBlobs, most_bytes: int) -> None:
        self.bucket = bucket
        self.copies = copies
        self._most_bytes = most_bytes

    def create(self) -> BlobWriter:
        name = secrets.token_hex(16)
        return BlobWriter(name, self.copies.incoming / name, self._send)

    def open(self, name: str) -> BinaryIO:
        """The blob, open for reading. Raises BlobMissing, BlobsUnavailable."""
        if not NAME.fullmatch(name):
            raise BlobMissing(name)
        try:
            file = self.copies.open(name)
        except BlobMissing:
            return self._fetch(name)
        os.utime(file.fileno())
        return file

    def prefetch(self, name: str) -> None:
        """Makes a copy if there is none. Raises BlobsUnavailable."""
        with suppress(BlobMissing):
            self.open(name).close()

    def delete(self, name: str) -> None:
        """The blob and the copy on this machine; those on others go when nobody reads them any more."""
        self.copies.delete(name)
        self.bucket.delete(name)

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """Names of stored blobs older than `seconds`; unfinished ones of that age are removed on the way."""
        self.copies.remove_unfinished(seconds)
        self.trim()
        oldest = time.time() - seconds
        for name, stored_at in self.bucket.names():
            if stored_at < oldest and NAME.fullmatch(name):
                yield name

    def check(self) -> None:
        """Also throws out old copies: a machine without a worker has nobody else who looks after them."""
        self.copies.check()
        self.trim()
        self.bucket.check()

    def trim(self, fresh: str = "") -> None:
        """Removes the copies that are too many or too old, but not the `fresh` one. One that is being read stays
        readable until it is closed."""
        left, oldest = self._most_bytes, time.time() - UNUSED_SECONDS
        for copy in sorted(self._all_copies(), key=lambda copy: copy.used, reverse=True):
            left -= copy.size
            if copy.path.name != fresh and (left < 0 or copy.used < oldest):
                copy.path.unlink(missing_ok=True)

    def _all_copies(self) -> Iterator[Copy]:
        for path in self.copies.stored.glob("*/*"):
            with suppress(FileNotFoundError):  # another process removes them too
                yield Copy(path, path.stat().st_size, modified(path))

    def _send(self, path: Path, name: str) -> None:
        self.bucket.put(name, path)
        self.copies.keep(path, name)
        self.trim(name)

    def _fetch(self, name: str) -> BinaryIO:
        for _ in range(TRIES - 1):
            with suppress(Torn):
                return self._fetch_once(name)
        return self._fetch_once(name)

    def _fetch_once(self, name: str) -> BinaryIO:
        """A whole copy, opened before it gets its name: from then on another process may throw it out."""
        try:
            writer = self.copies.create(name)
            with ExitStack() as undone:
                undone.callback(writer.abort)
                self.bucket.get(name, writer.write)
                file = undone.enter_context(writer.open_for_reading())
                writer.commit()
                undone.pop_all()
            self.trim(name)
        except OSError as trouble:
            raise BlobsUnavailable(f"no copy can be written: {trouble.strerror}") from trouble
        return file
