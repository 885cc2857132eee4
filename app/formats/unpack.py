"""Unpacks a gzip file while it arrives, and refuses it as soon as it grows too large."""

import zlib
from collections.abc import Iterator

from app.errors import Complaint, Refused

MAGIC = b"\x1f\x8b"
PIECE = 65_536
GZIP_ONLY = 31  # zlib's word for: a gzip header and checksum, the largest window


class Unpacker:
    """Bytes that do not begin like gzip go through as they are. `limit` is in unpacked bytes, `ratio` to the packed."""

    def __init__(self, limit: int, ratio: int) -> None:
        self._limit = limit
        self._ratio = ratio
        self._begin = b""
        self._packed: bool | None = None  # None: too few bytes to tell
        self._member = zlib.decompressobj(GZIP_ONLY)
        self._taken = 0
        self._given = 0

    def feed(self, data: bytes) -> bytes:
        if self._packed is None:
            data = self._begin = self._begin + data
            if len(data) < len(MAGIC):
                return b""
            self._packed = data.startswith(MAGIC)
        return b"".join(self._pieces(data)) if self._packed else data

    def finish(self) -> bytes:
        if self._packed is None:
            return self._begin
        if self._packed and not self._member.eof:
            raise _unreadable("The gzip file ends too early")
        if self._given > self._taken * self._ratio:
            raise self._too_large()
        return b""

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        self._taken += len(data)
        # Output that zlib still holds back when all is read comes with the next feed: the checksum is always to come.
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(GZIP_ONLY)
            piece = self._decompress(data)
            self._given += len(piece)
            # How much of the file has come is chance; the exact ratio is known at its end.
            if self._given > min(self._limit, self._taken * self._ratio + PIECE):
                raise self._too_large()
            yield piece
            data = self._member.unconsumed_tail or self._member.unused_data

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data, PIECE)
        except zlib.error as error:
            raise _unreadable("The gzip file is damaged, or followed by other bytes") from error

    def _too_large(self) -> Refused:
        detail = f"Unpacked, the file is larger than {self._limit} bytes or {self._ratio} times its packed size"
        return Refused("too_large", detail, [Complaint("file", detail)])


def _unreadable(detail: str) -> Refused:
    return Refused("unreadable_file", detail, [Complaint("file", detail)])
