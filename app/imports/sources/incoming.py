"""Writes a file to a blob while it arrives, wherever it comes from: counts, hashes, unpacks and decodes it."""

import asyncio
import hashlib
from typing import Final

from app.errors import Refused
from app.formats.decode import Decoder
from app.formats.unpack import Coding
from app.imports.examine import Upload
from app.runtime import Runtime

PIECE_BYTES: Final = 32_768  # held in memory before they are written; ten uploads at once must stay small


def too_large(limit: int) -> Refused:
    return Refused("too_large", f"The file is larger than {limit:,} bytes")


class IncomingFile:
    """One file, stored as UTF-8. Unless its writer is committed, `discard()` leaves nothing behind."""

    def __init__(self, runtime: Runtime, encoding: str | None) -> None:
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
        self.writer.write(await asyncio.to_thread(self.decoder.finish))

    def as_upload(self, file_name: str | None) -> Upload:
        return Upload(self.writer, file_name, self.size, self._digest.hexdigest(), self.decoder.encoding)

    def discard(self) -> None:
        """Leaves nothing behind, unless the writer was committed."""
        self.writer.abort()

    async def _flush(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._store, data)

    def _store(self, data: bytes) -> None:
        self._digest.update(data)
        self.writer.write(self.decoder.feed(data))
