"""Where the bytes of the files of an item sync go: CSV is decoded while it arrives, the ZIP is stored as it is."""

import asyncio
import hashlib
from typing import Protocol

from app.imports.plan import ReadOptions
from app.imports.sources.fetch import FileSink
from app.imports.sources.filenames import sanitize_filename
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.blobs import BlobWriter
from app.syncs.files import Role
from app.syncs.plan import SeenFile
from app.transports.fetch import ByteSink
from app.transports.transport import FileInfo


class FoldersChanged(Exception):
    """A file is not the one any more that was seen in its folder."""


class SyncSink(ByteSink, Protocol):
    """Takes in one file. `finish` once it is there, `discard` in any case."""

    @property
    def size(self) -> int:
        """Bytes as they came, so far."""

    async def finish(self) -> tuple[BlobWriter, str]:
        """The writer, to be committed, and the SHA-256 of the bytes as they came. Raises Refused."""

    def discard(self) -> None:
        """Leaves nothing behind, unless the writer was committed."""


class CsvSink(FileSink):
    """Takes in a CSV file. `before` is how many bytes of other files of the run have arrived."""

    def __init__(self, runtime: Runtime, run: Run, listed: SeenFile, encoding: str | None, before: int) -> None:
        super().__init__(runtime, run, ReadOptions(encoding=encoding, prescribed=True), before=before)
        self._listed = listed

    @property
    def size(self) -> int:
        return self.incoming.size

    async def begin(self, file: FileInfo) -> None:
        """Raises FoldersChanged."""
        ensure_same(self._listed, file)
        await super().begin(file)

    async def finish(self) -> tuple[BlobWriter, str]:
        await self.incoming.end()
        upload = self.incoming.as_upload(sanitize_filename(self._listed.path))
        return upload.writer, upload.sha256

    def discard(self) -> None:
        self.incoming.discard()


class ZipSink:
    """Takes in the ZIP of pictures."""

    def __init__(self, runtime: Runtime, listed: SeenFile) -> None:
        self._runtime, self._listed = runtime, listed
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._writer = self._runtime.blobs.create()

    async def begin(self, file: FileInfo) -> None:
        """Raises FoldersChanged."""
        ensure_same(self._listed, file)

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        await asyncio.to_thread(self._store, data)

    def _store(self, data: bytes) -> None:
        self._digest.update(data)
        self._writer.write(data)

    async def start_over(self) -> None:
        self._writer.abort()
        self._begin_anew()

    async def finish(self) -> tuple[BlobWriter, str]:
        return self._writer, self._digest.hexdigest()

    def discard(self) -> None:
        self._writer.abort()


def ensure_same(listed: SeenFile, file: FileInfo) -> None:
    """Raises FoldersChanged."""
    if listed.as_file_info().differs(file):
        raise FoldersChanged


def open_sink(runtime: Runtime, run: Run, listed: SeenFile, *, encoding: str | None, before: int) -> SyncSink:
    if listed.role is Role.IMAGES:
        return ZipSink(runtime, listed)
    return CsvSink(runtime, run, listed, encoding, before)
