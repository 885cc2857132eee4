"""Keeps the beginning of a file while it arrives, decoded, and forgets the rest."""

from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from app.formats.decode import Decoder
from app.formats.records import Dialect
from app.formats.sniff import detect_dialect
from app.workbooks.workbook import ReadSheet

HEAD_BYTES: Final = 262_144  # of a file, sent or decoded, from which a mapping is suggested
PIECE_BYTES: Final = 4_096  # decoded at once: a piece of gzip may become a thousand times as large
# What spreadsheets and ERP systems write if it is not UTF-8.
SUPPOSED_ENCODING: Final = "windows-1252"


@dataclass(frozen=True, slots=True)
class FileHead:
    """The beginning of a file as UTF-8 without a byte order mark. Unless it is the `whole` file it ends with a line, so
    far as its quotes tell."""

    data: bytes
    whole: bool
    encoding: str  # of the bytes as sent
    file_name: str | None
    sheet: ReadSheet | None = None  # of a workbook, of which it is the CSV

    def find_dialect(self, format: str | None, delimiter: str) -> Dialect:
        """How it is to be read. What is said of formats and delimiters is not meant for the CSV of a workbook. Raises
        Refused("invalid")."""
        declared, delimiter = (format, delimiter) if self.sheet is None else ("csv", ",")
        found = detect_dialect(self.data, declared_format=declared, file_name=self.file_name, delimiter=delimiter)
        return replace(found, encoding=self.encoding, workbook=self.sheet is not None)


class HeadReader:
    """Takes the bytes of a file in order. An encoding that is not declared is found from them."""

    def __init__(self, encoding: str | None, *, limit: int, ratio: int) -> None:
        self._decoder = Decoder(encoding, limit, ratio)
        self._decoder.suppose(SUPPOSED_ENCODING)
        self._data = bytearray()
        self._sent = 0

    def suppose(self, charset: str) -> None:
        """The charset that headers name, "" for none. It counts for no more than the supposed encoding does."""
        if charset:
            self._decoder.suppose(charset)

    @property
    def full(self) -> bool:
        """Whether nothing that follows is looked at."""
        return len(self._data) >= HEAD_BYTES or self._sent >= HEAD_BYTES

    def feed(self, data: bytes) -> None:
        """Raises Refused for a compressed file that is damaged or too large."""
        for at in range(0, len(data), PIECE_BYTES):
            if self.full:
                return
            piece = data[at : at + PIECE_BYTES]
            self._sent += len(piece)
            self._data += self._decoder.feed(piece)

    def finish(self, file_name: str | None, *, ended: bool = True) -> FileHead:
        """`ended`: the file has no more bytes than were fed. Raises Refused("unreadable_file") for a file that is not
        text."""
        whole = not self._data or (ended and not self.full)
        if whole:
            self._data += self._decoder.finish()
        data = bytes(self._data)
        return FileHead(data if whole else cut_last_line(data), whole, self._decoder.encoding, file_name)


def feed_head(file: BinaryIO, reader: HeadReader) -> None:
    """Gives a reader as much of a file as it looks at. Blocking. Raises Refused for a compressed file that is damaged
    or too large."""
    while not reader.full and (piece := file.read(PIECE_BYTES)):
        reader.feed(piece)


def cut_last_line(data: bytes) -> bytes:
    """The data up to the last line end that is in no quotes. Without one it is kept as it is. Each byte is looked at a
    few times, however many quotes and line ends there are."""
    end, quoted = len(data), data.count(b'"') % 2 == 1
    while end > 0:
        start = data.rfind(b'"', 0, end)
        last = -1 if quoted else max(data.rfind(b"\n", start + 1, end), data.rfind(b"\r", start + 1, end))
        if last > 0:
            return data[: last + 1]
        end, quoted = start, not quoted
    return data
