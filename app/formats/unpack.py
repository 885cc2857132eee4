"""Unpacks a gzip file while it arrives, and refuses it as soon as it grows too large."""

import zlib
from collections.abc import Iterator

from app.errors import Complaint, Refused

GZIP_MAGIC = b"\x1f\x8b"
PIECE_BYTES = 65_536
GZIP_ONLY = 31  # zlib's `wbits` for a gzip header and checksum with the largest window


class Unpacker:
    """Bytes that do not begin like gzip pass through unchanged. Unpacked, the file may have `limit` bytes, and may be
    `ratio` times as large as it is packed."""

    def __init__(self, limit: int, ratio: int) -> None:
        self._limit = limit
        self._ratio = ratio
        self._head = b""
        self._is_gzip: bool | None = None  # None: too few bytes to tell
        self._member = zlib.decompressobj(GZIP_ONLY)
        self._packed_bytes = 0
        self._unpacked_bytes = 0

    def feed(self, data: bytes) -> bytes:
        if self._is_gzip is None:
            data = self._head = self._head + data
            if len(data) < len(GZIP_MAGIC):
                return b""
            self._is_gzip = data.startswith(GZIP_MAGIC)
        return b"".join(self._unpack(data)) if self._is_gzip else data

    def finish(self) -> bytes:
        if self._is_gzip is None:
            return self._head
        if self._is_gzip and not self._member.eof:
            raise _unreadable("The gzip file ends too early. Send it again")
        if self._unpacked_bytes > self._packed_bytes * self._ratio:
            raise self._too_large()
        return b""

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        self._packed_bytes += len(data)
        # What zlib still holds back when all input is used comes with the next feed: a checksum always follows.
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(GZIP_ONLY)
            piece = self._decompress(data)
            self._unpacked_bytes += len(piece)
            # How much of the file has arrived is chance, so a piece more is allowed; the end knows the exact ratio.
            if self._unpacked_bytes > min(self._limit, self._packed_bytes * self._ratio + PIECE_BYTES):
                raise self._too_large()
            yield piece
            data = self._member.unconsumed_tail or self._member.unused_data

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise _unreadable("The gzip file is damaged, or other bytes follow it") from error

    def _too_large(self) -> Refused:
        limit, ratio = f"{self._limit:,} bytes", f"{self._ratio:,} times its packed size"
        detail = f"The file unpacks to more than {limit}, or to more than {ratio}"
        return Refused("too_large", detail, [Complaint("file", detail)])


def _unreadable(detail: str) -> Refused:
    return Refused("unreadable_file", detail, [Complaint("file", detail)])
