"""Unpacks the entries of a ZIP file one by one, within limits on what comes out and not on what the file says of it."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO, Final

from app.formats.archives.directory import ENTRY_MARK, Entry, read_directory

STORED, DEFLATED = 0, 8
LOCAL_HEADER: Final = Struct("<4s5H3L2H")
PIECE_BYTES: Final = 65_536
BARE_DEFLATE: Final = -zlib.MAX_WBITS

# Why an entry is not unpacked: code -> what is said of it.
ENTRY_REFUSALS: Final[dict[str, str]] = {
    "encrypted": "is encrypted",
    "not_a_file": "is a link, or something else that is not a file",
    "name_too_long": "has a name that is too long",
    "unknown_compression": "is compressed in another way than ZIP files usually are (Deflate)",
    "overlapping": "lies upon another entry, as no program writes it",
    "damaged": "is damaged, or is not what the ZIP file says of it",
    "entry_too_large": "is too large",
    "entry_grows_too_much": "grows too much when it is unpacked",
    "archive_too_large": "is one too many: the ZIP file unpacks to more than is allowed",
}


class EntryRefused(Exception):
    """This entry is not unpacked; the others may be. `code` is a key of ENTRY_REFUSALS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """Entries beyond the number are not looked at. Bytes are counted while they are unpacked; an entry may unpack to at
    most `ratio` times its packed size."""

    entries: int
    entry_bytes: int
    total_bytes: int
    ratio: int


class ZipReader:
    """The entries of a ZIP file. Blocking: call it in a thread. All methods raise what reading the file raises."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        """Raises NotAnArchive."""
        self._file, self._limits = file, limits
        self._unpacked_bytes = 0
        directory = read_directory(file, limits.entries)
        self.entries, self.is_cut = directory.entries, directory.is_cut

    def read(self, entry: Entry) -> bytes:
        """The whole content of the entry. Raises EntryRefused."""
        self._check(entry)
        content = bytearray()
        for piece in self._unpack(entry):
            content += piece
            self._unpacked_bytes += len(piece)
            self._ensure_within_limits(entry, len(content))
        if len(content) != entry.size or zlib.crc32(content) != entry.crc:
            raise EntryRefused("damaged")
        return bytes(content)

    def _check(self, entry: Entry) -> None:
        """What can be known without unpacking anything."""
        if entry.is_special:
            raise EntryRefused("not_a_file")
        if entry.is_encrypted:
            raise EntryRefused("encrypted")
        if entry.has_long_name:
            raise EntryRefused("name_too_long")
        if entry.method not in (STORED, DEFLATED):
            raise EntryRefused("unknown_compression")
        if entry.size > self._limits.entry_bytes:
            raise EntryRefused("entry_too_large")

    def _ensure_within_limits(self, entry: Entry, unpacked: int) -> None:
        if self._unpacked_bytes > self._limits.total_bytes:
            raise EntryRefused("archive_too_large")
        if unpacked > entry.size:
            raise EntryRefused("damaged")
        if unpacked > entry.packed * self._limits.ratio + PIECE_BYTES:
            raise EntryRefused("entry_grows_too_much")

    def _unpack(self, entry: Entry) -> Iterator[bytes]:
        """Pieces of at most PIECE_BYTES."""
        self._go_to_content(entry)
        packed = self._read_packed(entry.packed)
        if entry.method == STORED:
            yield from packed
            return
        inflater = zlib.decompressobj(BARE_DEFLATE)
        try:
            for piece in packed:
                yield from inflate(inflater, piece)
        except zlib.error:
            raise EntryRefused("damaged") from None
        if not inflater.eof:
            raise EntryRefused("damaged")

    def _go_to_content(self, entry: Entry) -> None:
        # First of all: an offset beyond the end of the file is the ZIP file's fault, and not the disk's.
        if entry.start + LOCAL_HEADER.size + entry.packed > entry.end:
            raise EntryRefused("overlapping")
        self._file.seek(entry.start)
        header = self._file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or not header.startswith(ENTRY_MARK):
            raise EntryRefused("damaged")
        *_, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
        content = entry.start + LOCAL_HEADER.size + name_bytes + extra_bytes
        if content + entry.packed > entry.end:
            raise EntryRefused("overlapping")
        self._file.seek(content)

    def _read_packed(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self._file.read(min(left, PIECE_BYTES))
            if not piece:
                raise EntryRefused("damaged")
            left -= len(piece)
            yield piece


def inflate(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """Raises zlib.error."""
    while data and not inflater.eof:
        yield inflater.decompress(data, PIECE_BYTES)
        data = inflater.unconsumed_tail
