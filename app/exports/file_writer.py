"""Writes the file of an export into the store while PostgreSQL sends it: encoded, compressed, hashed and counted."""

import asyncio
import codecs
import hashlib
import zlib
from contextlib import suppress
from typing import Final

from app.errors import Fatal
from app.exports.layout import FileOptions, Respell
from app.runtime import Runtime

PIECE_BYTES: Final = 1_048_576  # written at once; the next one arrives meanwhile
GZIP: Final = 16 + zlib.MAX_WBITS  # a header without name and time: the same records give the same file
LEVEL: Final = 6
UNENCODABLE: Final = "The encoding {encoding} has no character {character} ({code_point})"


class FileWriter:
    """One file, written by a thread while more arrives. Unless it is committed, `abort` leaves nothing behind. Raises
    BlobsUnavailable, and Fatal for a character that the encoding lacks. The constructor blocks."""

    def __init__(self, runtime: Runtime, options: FileOptions) -> None:
        self.blob = runtime.blobs.create()
        self._recoder = None if options.encoding == "utf-8" else Recoder(options.encoding)
        self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP) if options.gzip else None
        self._digest = hashlib.sha256()
        self._respell: Respell | None = None
        self._arrived = bytearray()
        self._storing: asyncio.Task[None] | None = None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def begin(self, head: bytes, respell: Respell | None = None) -> None:
        """Writes the head, and has whatever follows respelled."""
        await asyncio.to_thread(self._store, head)
        self._respell = respell

    async def add(self, data: bytes) -> None:
        """Takes the next bytes of the text, in UTF-8, in pieces of any size."""
        self._arrived += data
        if len(self._arrived) >= PIECE_BYTES:
            await self._stored()
            data, self._arrived = bytes(self._arrived), bytearray()
            self._storing = asyncio.create_task(asyncio.to_thread(self._respell_and_store, data))

    async def commit(self) -> str:
        """Makes the file durable, and returns its name."""
        await self._stored()
        return await asyncio.to_thread(self._finish)

    async def abort(self) -> None:
        with suppress(BaseException):  # its error was raised already, or something else ends this
            await self._stored()
        await asyncio.to_thread(self.blob.abort)

    async def _stored(self) -> None:
        """Until the last piece is written."""
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    def _respell_and_store(self, data: bytes) -> None:
        self._store(data if self._respell is None else self._respell(data))

    def _finish(self) -> str:
        self._respell_and_store(bytes(self._arrived))
        self._store(b"", last=True)
        return self.blob.commit()

    def _store(self, data: bytes, *, last: bool = False) -> None:
        if self._recoder is not None:
            data = self._recoder.recode(data, last=last)
        if self._compressor is not None:
            data = self._compressor.compress(data) + (self._compressor.flush() if last else b"")
        self._digest.update(data)
        self.blob.write(data)


class Recoder:
    """Turns UTF-8 into another encoding, piece by piece."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._encoder = codecs.getincrementalencoder(encoding)()

    def recode(self, data: bytes, *, last: bool) -> bytes:
        """Raises Fatal("export_unencodable")."""
        try:
            return self._encoder.encode(self._decoder.decode(data, last), last)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            code_point = f"U+{ord(character):04X}"
            shown = f'"{character}"' if character.isprintable() else "for this control character"
            detail = UNENCODABLE.format(encoding=self._encoding, character=shown, code_point=code_point)
            raise Fatal("export_unencodable", detail) from None
