"""Reads a file from its first byte to its last, as an import does, with nothing but `app.formats`."""

import io
from dataclasses import dataclass, field

from app.formats import open_reader
from app.formats.decode import Decoder
from app.formats.records import Dialect, Limits, Position, Reader, Record, UnreadableRow


@dataclass(slots=True)
class Everything:
    """The content of a whole file; `places` are the row and line of each good record."""

    records: list[Record] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    ends: list[Position] = field(default_factory=list)


def stored(upload: bytes, encoding: str | None = None, *, part: int = 1_000) -> tuple[bytes, str]:
    """The bytes that are stored of an upload, and the encoding that was detected."""
    decoder = Decoder(encoding, 100_000_000)
    pieces = [decoder.feed(upload[at : at + part]) for at in range(0, len(upload), part)]
    return b"".join([*pieces, decoder.finish()]), decoder.encoding


def reader_of(upload: bytes, dialect: Dialect | None = None, limits: Limits | None = None) -> Reader:
    data, encoding = stored(upload)
    given = dialect or Dialect("csv")
    return open_reader(io.BytesIO(data), Dialect(given.format, given.delimiter, encoding), limits or Limits())


def read_all(reader: Reader, *, start: Position | None = None, rows: int = 20_000, size: int = 1_048_576) -> Everything:
    found, at, last = Everything(), start or reader.first, False
    while not last:
        batch = reader.read(at, max_rows=rows, max_bytes=size)
        assert batch.start == at
        assert batch.last or batch.end.offset > at.offset
        assert len(batch.records) + len(batch.unreadable) == batch.end.row - at.row
        found.records += [list(each) if isinstance(each, tuple) else each for each in batch.records]
        found.places += zip(batch.rows, batch.lines, strict=True)
        found.unreadable += batch.unreadable
        found.ends.append(batch.end)
        at, last = batch.end, batch.last
    return found
