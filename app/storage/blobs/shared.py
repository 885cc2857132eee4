"""Blobs in a bucket that several machines share. Each machine keeps copies of the blobs that it works on."""

import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from app.storage.blobs.blob import BlobWriter
from app.storage.blobs.errors import BlobDamaged, BlobMissing, require_mark, translate_os_errors
from app.storage.blobs.files import FileBlobs, modified_at
from app.storage.blobs.s3 import Bucket, IncompleteTransfer
from app.storage.blobs.stored_file import open_checked

NAME: Final = re.compile(r"[0-9a-f]{32}")  # other objects in the bucket are not ours to delete
ATTEMPTS: Final = 3  # at a blob that does not arrive as it was stored; each request has attempts of its own, too
# A copy that nobody has read for so long is removed, so that none lives much longer than a blob deleted elsewhere.
UNUSED_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """The copy of a blob in the local folder."""

    path: Path
    size: int
    used_at: float  # when it was written or last opened, in seconds since 1970


class SharedBlobs:
    """Blobs in a bucket. A blob is written and read as a local file in `copies`, a folder that all processes of one
    machine may share. Its content may be lost at any time, and takes about `max_copies_bytes`."""

    def __init__(self, bucket: Bucket, copies: FileBlobs, max_copies_bytes: int) -> None:
        self.bucket = bucket
        self.copies = copies
        self.store_id: str | None = None
        self._max_copies_bytes = max_copies_bytes

    def create(self) -> BlobWriter:
        name = secrets.token_hex(16)
        return BlobWriter(name, self.copies.incoming / name, self._upload)

    def open(self, name: str, digests: bytes | None = None) -> BinaryIO:
        """Opens the blob for reading, after fetching it if there is no copy. A copy that is damaged is dropped, and
        fetched again. Raises BlobMissing, BlobDamaged, BlobsUnavailable."""
        return open_checked(self._open_copy(name), digests, lambda: self._replace_copy(name))

    @translate_os_errors()
    def _open_copy(self, name: str) -> io.FileIO:
        if not NAME.fullmatch(name):
            raise BlobMissing(name)
        try:
            file = self.copies.open_unchecked(name)
        except BlobMissing:
            return self._fetch(name)
        os.utime(file.fileno())
        return file

    def _replace_copy(self, name: str) -> io.FileIO:
        self.copies.delete(name)
        return self._open_copy(name)

    def delete(self, name: str) -> None:
        """Deletes the blob and this machine's copy. Copies on other machines go when nobody reads them any more."""
        self.copies.delete(name)
        self.bucket.delete(name)

    def list_older_than(self, seconds: float) -> Iterator[str]:
        """The names of stored blobs older than `seconds`. Also removes unfinished blobs of that age."""
        self.require_mark(probing=True)
        self.copies.remove_unfinished(seconds)
        self.trim()
        for name, age in self.bucket.names():
            if age > seconds and NAME.fullmatch(name):
                yield name

    def check(self) -> None:
        """Also removes old copies, because nothing else does so on a machine without a worker."""
        self.copies.check()
        self.trim()
        self.require_mark(probing=True)
        self.bucket.check()

    def require_mark(self, *, probing: bool = False) -> None:
        """Raises BlobsUnavailable if this is not the bucket that it should be; `probing` gives up soon."""
        if self.store_id is not None:
            require_mark(self.store_id, self.bucket.read_mark(probing=probing))

    def read_mark(self) -> str | None:
        """Gives up soon: who asks, asks again, and a thread that waits keeps its process from ending."""
        return self.bucket.read_mark(probing=True)

    def write_mark(self, store_id: str) -> None:
        self.bucket.write_mark(store_id)

    @translate_os_errors()
    def trim(self, fresh: str = "") -> None:
        """Removes the copies that are too old or for which there is no room, but not the one named `fresh`. A copy that
        is being read stays readable until it is closed."""
        bytes_left, oldest = self._max_copies_bytes, self.copies.now() - UNUSED_SECONDS
        for copy in sorted(self._list_copies(), key=lambda copy: copy.used_at, reverse=True):
            bytes_left -= copy.size
            if copy.path.name != fresh and (bytes_left < 0 or copy.used_at < oldest):
                copy.path.unlink(missing_ok=True)

    def _list_copies(self) -> Iterator[LocalCopy]:
        for path in self.copies.stored.glob("*/*"):
            with suppress(FileNotFoundError):  # another process may remove it
                yield LocalCopy(path, path.stat().st_size, modified_at(path))

    def _upload(self, path: Path, name: str) -> None:
        self.require_mark()
        self.bucket.put(name, path)
        self.copies.store(path, name)
        self.trim(name)

    def _fetch(self, name: str) -> io.FileIO:
        try:
            for _ in range(ATTEMPTS - 1):
                with suppress(IncompleteTransfer, BlobDamaged):
                    return self._fetch_once(name)
            return self._fetch_once(name)
        except BlobMissing:
            self.require_mark()
            raise

    def _fetch_once(self, name: str) -> io.FileIO:
        """A complete copy. It is opened before it gets its name, because after that another process may remove it."""
        writer = self.copies.create(name)
        with ExitStack() as cleanup:
            cleanup.callback(writer.abort)
            self.bucket.get(name, writer.write)
            file = cleanup.enter_context(writer.open_unchecked())
            writer.commit()
            cleanup.pop_all()
        self.trim(name)
        return file
