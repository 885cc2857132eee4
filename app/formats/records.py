"""What a format hands to the engine: batches of records, and where in the stored file each batch ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

# A record of a delimited file is its cells in the header's order; of JSON Lines, the object (numbers as Decimal,
# whole ones as Decimal or int).
Record = Sequence[str] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a stored file is to be read; written back into the run, so that nobody has to guess."""

    format: str  # a key of app.formats.FORMATS: "csv" or "jsonl"
    delimiter: str = ","
    encoding: str = "utf-8"  # what the bytes were before they were stored as UTF-8
    columns: tuple[str, ...] = ()  # what the cells of a delimited file are called, in place of its header
    has_header: bool = True  # False: its first record is data; then `columns` names the cells


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest shapes that are read; beyond them a row is bad or a header is refused."""

    columns: int = 2_000
    record_bytes: int = 1_048_576
    cell_characters: int = 131_072
    depth: int = 32
    raw_characters: int | None = 1_024  # of an unreadable record that are kept; None: all, as `record_bytes` bounds it


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next record begins: byte offset, physical line (the first is 1), and data records before it."""

    offset: int = 0
    line: int = 1
    row: int = 0


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A record that could not be read; `code` is a key of PROBLEMS, `cells` what could be told apart (may be empty),
    `raw` the record's text as sent, cut at `Limits.raw_characters` (one that is too long always at 1,024)."""

    row: int
    line: int
    code: str
    message: str
    cells: tuple[str, ...]
    raw: str


@dataclass(slots=True)
class Batch:
    """The records between two positions. `records`, `rows` and `lines` run in parallel; unreadable records stand apart
    and have row numbers of their own in the same counting."""

    start: Position
    end: Position
    last: bool = False  # nothing but blank lines follows `end`
    records: list[Record] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)


class Reader(Protocol):
    """One stored file (UTF-8, no BOM) open for reading, in one dialect."""

    @property
    def header(self) -> tuple[str, ...]:
        """The column headings, trimmed; empty for a format without a header."""

    @property
    def first(self) -> Position:
        """Where the first data record may begin (after the header)."""

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        """The records from `start` on, until either limit is met or the file ends. The record that meets `max_bytes` is
        read to its end; rows made suspect by a broken quote stay in its batch, even beyond `max_rows`. Never raises for
        what is in the file. Blocking: call it in a thread."""

    def count(self) -> int:
        """How many data records `read` will yield in all, readable or not."""
