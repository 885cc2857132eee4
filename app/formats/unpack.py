"""Unpacks a compressed file while it arrives, and refuses it as soon as it grows too large."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from app.errors import Complaint, Refused

Coding = Literal["gzip", "deflate"]

GZIP_MAGIC = b"\x1f\x8b"
PIECE_BYTES = 65_536
GZIP_ONLY = 31  # zlib's `wbits` for a gzip header and checksum with the largest window
DEFLATE_HEAD_BYTES = 2
# The names of the codings in HTTP (RFC 9110, 8.4.1).
CODINGS: Final[dict[str, Coding]] = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
NO_CODING: Final = frozenset({"", "identity"})


def parse_coding(header: str) -> Coding | None:
    """The coding that a `Content-Encoding` names; None for none. Raises ValueError for any other, and for several."""
    names = [name.strip().lower() for name in header.split(",")]
    codings = [name for name in names if name not in NO_CODING]
    if len(codings) > 1 or not CODINGS.keys() >= set(codings):
        raise ValueError
    return CODINGS[codings[0]] if codings else None


class Inflater:
    """Decompresses a stream of one coding, in pieces of at most PIECE_BYTES."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._head = b""
        self._member = zlib.decompressobj(GZIP_ONLY) if coding == "gzip" else None

    @property
    def complete(self) -> bool:
        return self._member is not None and self._member.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Consume all of it. Raises zlib.error."""
        if self._member is None:
            data = self._head = self._head + data
            if len(data) < DEFLATE_HEAD_BYTES:
                return
            self._member = zlib.decompressobj(find_window(data))
        # What zlib still holds back when all input is used comes with the next feed, or at the end.
        while data:
            if self._member.eof and self._coding == "deflate":
                raise zlib.error("bytes follow the stream")
            if self._member.eof:
                self._member = zlib.decompressobj(GZIP_ONLY)
            yield self._member.decompress(data, PIECE_BYTES)
            data = self._member.unconsumed_tail or self._member.unused_data

    def finish(self) -> bytes:
        """What a stream without a checksum at its end holds back. Raises zlib.error if the stream is incomplete."""
        rest = self._member.flush() if self._member else b""
        if not self.complete:
            raise zlib.error("the stream ends too early")
        return rest


def find_window(head: bytes) -> int:
    """zlib's `wbits` for a body with the coding `deflate`: that is zlib's format (RFC 9110, 8.4.1.2), but some servers
    send bare deflate."""
    has_zlib_header = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:DEFLATE_HEAD_BYTES], "big") % 31 == 0
    return zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS


class Unpacker:
    """Bytes that do not begin like gzip pass through unchanged, unless `coding` says how they are compressed. Unpacked,
    the file may have `limit` bytes, and may be `ratio` times as large as it is packed. With a `coding` the file inside
    may be packed once more: a server sends `people.csv.gz` with the coding gzip."""

    def __init__(self, limit: int, ratio: int) -> None:
        self.coding: Coding | None = None
        self._limit = limit
        self._ratio = ratio
        self._head = b""
        self._inflater: Inflater | None = None
        self._inner: Unpacker | None = None  # for the file behind `coding`
        self._decided = False  # whether the bytes are compressed
        self._packed_bytes = 0
        self._unpacked_bytes = 0

    def feed(self, data: bytes) -> bytes:
        if not self._decided:
            data = self._head = self._head + data
            if len(data) < len(GZIP_MAGIC):
                return b""
            self._decide()
        data = b"".join(self._unpack(self._inflater, data)) if self._inflater else data
        return self._inner.feed(data) if self._inner else data

    def finish(self) -> bytes:
        if self._inflater is None:
            return b"" if self._decided else self._head
        with refuse_damaged("ends too early. Send it again"):
            rest = self._inflater.finish()
        self._unpacked_bytes += len(rest)
        if self._unpacked_bytes > min(self._limit, self._packed_bytes * self._ratio):
            raise self._too_large()
        return self._inner.feed(rest) + self._inner.finish() if self._inner else rest

    def _decide(self) -> None:
        self._decided = True
        # A server may say `gzip` of a file that it sends unpacked: gzip is recognised by its first bytes.
        if self.coding == "deflate" or self._head.startswith(GZIP_MAGIC):
            self._inflater = Inflater("deflate" if self.coding == "deflate" else "gzip")
            self._inner = Unpacker(self._limit, self._ratio) if self.coding else None

    def _unpack(self, inflater: Inflater, data: bytes) -> Iterator[bytes]:
        self._packed_bytes += len(data)
        with refuse_damaged("is damaged, or other bytes follow it"):
            for piece in inflater.feed(data):
                self._unpacked_bytes += len(piece)
                # How much of the file has arrived is chance, so a piece more is allowed; the end knows the exact ratio.
                if self._unpacked_bytes > min(self._limit, self._packed_bytes * self._ratio + PIECE_BYTES):
                    raise self._too_large()
                yield piece

    def _too_large(self) -> Refused:
        limit, ratio = f"{self._limit:,} bytes", f"{self._ratio:,} times its packed size"
        detail = f"The file unpacks to more than {limit}, or to more than {ratio}"
        return Refused("too_large", detail, [Complaint("file", detail)])


@contextmanager
def refuse_damaged(predicate: str) -> Iterator[None]:
    try:
        yield
    except zlib.error as error:
        detail = f"The compressed file {predicate}"
        raise Refused("unreadable_file", detail, [Complaint("file", detail)]) from error
