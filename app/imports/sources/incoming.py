"""Writes a file to a blob while it arrives, wherever it comes from: counts, hashes, unpacks and decodes it."""

import asyncio
import hashlib
from typing import Final

from app.errors import Refused
from app.formats.decode import Decoder
from app.formats.detection.binary import SIGNATURE_BYTES, is_workbook
from app.formats.unpack import Coding
from app.imports.examine import Upload
from app.runtime import Runtime
from app.storage.blobs import BlobWriter
from app.workbooks.process import convert_workbook
from app.workbooks.workbook import ReadSheet, WorkbookLimits

PIECE_BYTES: Final = 32_768  # held in memory before they are written; ten uploads at once must stay small


def too_large(limit: int) -> Refused:
    return Refused("too_large", f"The file is larger than {limit:,} bytes")


async def read_sheet(runtime: Runtime, workbook: BlobWriter, sheet: str, csv: BlobWriter) -> ReadSheet:
    """Writes a sheet as CSV, one workbook after the other. Raises Refused("unreadable_file"), ConverterAway."""
    limit = runtime.settings.max_file_bytes
    with workbook.open_unchecked() as raw:
        async with runtime.workbooks:
            return await asyncio.to_thread(
                convert_workbook, raw, sheet, csv.write, limit=limit, limits=WorkbookLimits()
            )


class RawWorkbook:
    """Keeps the bytes of a file that begins like a workbook, as they are; of any other nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self.writer: BlobWriter | None = None  # None: it is no workbook, as far as is known
        self.beginning = b""  # as long as too little has arrived to know
        self._runtime = runtime
        self._known = False

    def take(self, data: bytes) -> bytes:
        """What is not kept here. Blocking."""
        if not self._known:
            data, self.beginning = self.beginning + data, b""
            if len(data) < SIGNATURE_BYTES:
                self.beginning = data
                return b""
            self._known = True
            self.writer = self._runtime.blobs.create() if is_workbook(data[:SIGNATURE_BYTES]) else None
        if self.writer is None:
            return data
        self.writer.write(data)
        return b""

    def discard(self) -> None:
        if self.writer:
            self.writer.abort()


class IncomingFile:
    """One file, stored as UTF-8, of a workbook one sheet as CSV. Unless its writer is committed, `discard()` leaves
    nothing behind."""

    def __init__(self, runtime: Runtime, encoding: str | None, *, workbooks: bool = False) -> None:
        """`workbooks`: whether the caller may send one."""
        self.sheet = ""  # of a workbook: its name or number, "" for the first one that is not hidden
        self._runtime = runtime
        self._raw = RawWorkbook(runtime) if workbooks else None
        self._read_sheet: ReadSheet | None = None
        self.limit = runtime.settings.max_file_bytes
        self.declared = encoding
        self.decoder = Decoder(encoding, self.limit, runtime.settings.unpack_ratio)
        self.writer = runtime.blobs.create()
        self.size = 0
        self._digest = hashlib.sha256()
        self._pending = bytearray()

    def describe(self, charset: str, coding: Coding | None = None) -> None:
        """What headers say of the file, before its first byte."""
        self.decoder.suppose(charset, coding)

    async def add(self, data: bytes) -> None:
        """Raises Refused: too_large, unreadable_file."""
        self.size += len(data)
        if self.size > self.limit:
            raise too_large(self.limit)
        if len(data) >= PIECE_BYTES and not self._pending:
            await asyncio.to_thread(self._store, data)
            return
        self._pending += data
        if len(self._pending) >= PIECE_BYTES:
            await self._flush()

    async def end(self) -> None:
        """Raises Refused: too_large, unreadable_file."""
        await self._flush()
        if self._raw and self._raw.writer:
            self._read_sheet = await read_sheet(self._runtime, self._raw.writer, self.sheet, self.writer)
            return
        self.writer.write(await asyncio.to_thread(self._decode_end))

    def as_upload(self, file_name: str | None) -> Upload:
        digest, encoding = self._digest.hexdigest(), "utf-8" if self._read_sheet else self.decoder.encoding
        return Upload(self.writer, file_name, self.size, digest, encoding, sheet=self._read_sheet)

    def discard(self) -> None:
        """Leaves nothing behind, unless the writer was committed."""
        self.writer.abort()
        if self._raw:
            self._raw.discard()

    async def _flush(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._store, data)

    def _store(self, data: bytes) -> None:
        self._digest.update(data)
        decoded = self._raw.take(data) if self._raw else data
        self.writer.write(self.decoder.feed(decoded))

    def _decode_end(self) -> bytes:
        rest = self.decoder.feed(self._raw.beginning) if self._raw else b""
        return rest + self.decoder.finish()
