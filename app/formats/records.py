"""What a format gives to the engine: batches of records, and the position in the stored file at which a batch ends."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

# One record of the file, in the sense of RFC 4180: the cells of a row in the order of the header, or the object of a
# line of JSON Lines (numbers are Decimal; whole ones may be int). What is stored in the end is a record, too.
Record = Sequence[str] | Mapping[str, object]


# The version of the rules by which rows are told apart. A run goes on with those by which its rows were counted: 1 is
# release 0.1; since 2, lines of delimiters and blanks are no rows, a blank may stand before a quoted cell, stray quotes
# in two cells fail their row, and all rows may end with a delimiter (ADR 29).
READING_RULES = 2


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a stored file is to be read. It is kept with the run, so that nobody has to guess twice."""

    format: str  # a key of app.formats.FORMATS: "csv" or "jsonl"
    delimiter: str = ","
    encoding: str = "utf-8"  # of the upload; what is stored is always UTF-8
    columns: tuple[str, ...] = ()  # headings that replace those of the file
    has_header: bool = True  # False: the first record is data, and `columns` has the headings
    rules: int = READING_RULES
    rows_end_with_delimiter: bool | None = None  # None: whoever opens the file finds out
    workbook: bool = False  # the file is a sheet of a workbook, whose errors of formulas fail their rows


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest sizes that are read. Beyond them a row is bad, or a header is refused."""

    columns: int = 2_000
    record_bytes: int = 1_048_576
    cell_characters: int = 131_072
    depth: int = 32
    raw_characters: int | None = 1_024  # kept of an unreadable row; None: all, which `record_bytes` limits


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next record begins: the byte offset, the physical line (the first is 1) and the number of data rows
    before it."""

    offset: int = 0
    line: int = 1
    row: int = 0


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be read. `code` is a key of PROBLEMS. `cells` are those that could be told apart, possibly
    none; `raw` is the row's text as sent, cut to `Limits.raw_characters` (to 1,024 if the row is too long)."""

    row: int
    line: int
    code: str
    message: str
    cells: tuple[str, ...]
    raw: str


@dataclass(slots=True)
class Batch:
    """The records between two positions. `records`, their row numbers in `rows` and their line numbers in `lines` are
    parallel lists. Unreadable rows are kept apart, but are numbered in the same sequence. `blank_rows` is how many
    lines of nothing but delimiters and blanks were passed over, and `blank_line` the first of them."""

    start: Position
    end: Position
    last: bool = False  # only blank lines follow `end`
    records: list[Record] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    blank_rows: int = 0
    blank_line: int = 0

    def keep_first(self, rows: int) -> None:
        """Leaves out what is beyond so many rows: lines that a broken quote among them has kept in the batch. `end` is
        behind these lines all the same, because nobody may begin to read in the middle of them."""
        last = self.start.row + rows
        if self.end.row > last:
            kept = bisect_right(self.rows, last)
            self.records, self.rows, self.lines = self.records[:kept], self.rows[:kept], self.lines[:kept]
            self.unreadable = [each for each in self.unreadable if each.row <= last]
            self.end = replace(self.end, row=last)


class Reader(Protocol):
    """Reads one stored file (UTF-8, no byte order mark) in one dialect."""

    @property
    def header(self) -> tuple[str, ...]:
        """The trimmed column headings; empty for a format without a header."""

    @property
    def first(self) -> Position:
        """Where the data begins, after the header."""

    def read(self, start: Position, *, max_rows: int, max_bytes: int) -> Batch:
        """The records from `start` on, until either limit is met or the file ends. The record that meets `max_bytes` is
        read to its end; rows made suspect by a broken quote stay in its batch, even beyond `max_rows`. Nothing in the
        file makes it raise. Blocking: call it in a thread."""

    def count(self) -> int:
        """How many rows `read` will give in all, readable or not."""
