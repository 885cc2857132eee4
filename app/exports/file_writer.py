"""Writes the file of an export into the store while PostgreSQL sends it: encoded, compressed, hashed and counted."""

import asyncio
import codecs
import hashlib
import zlib
from typing import Final

from app.errors import Fatal
from app.exports.layout import FileOptions
from app.runtime import Runtime

PIECE_BYTES: Final = 262_144  # held in memory before they are written
GZIP: Final = 16 + zlib.MAX_WBITS  # a header without name and time: the same records give the same file
LEVEL: Final = 6
UNENCODABLE: Final = "The encoding {encoding} has no character {character} ({code_point})"


class FileWriter:
    """One file. Unless it is committed, `abort` leaves nothing behind. Raises BlobsUnavailable, and Fatal for a
    character that the encoding lacks. The constructor and `abort` block."""

    def __init__(self, runtime: Runtime, options: FileOptions) -> None:
        self.blob = runtime.blobs.create()
        self._options = options
        self._recoder = None if options.encoding == "utf-8" else Recoder(options.encoding)
        self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP) if options.gzip else None
        self._digest = hashlib.sha256()
        self._pending = bytearray()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def add(self, data: bytes) -> None:
        """Takes the next bytes of the text, in UTF-8, in pieces of any size."""
        self._pending += data
        if len(self._pending) >= PIECE_BYTES:
            data, self._pending = bytes(self._pending), bytearray()
            await asyncio.to_thread(self._store, data)

    async def commit(self) -> str:
        """Makes the file durable, and returns its name."""
        return await asyncio.to_thread(self._finish)

    def abort(self) -> None:
        self.blob.abort()

    def _finish(self) -> str:
        self._store(bytes(self._pending), last=True)
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
