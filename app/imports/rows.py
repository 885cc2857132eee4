"""What checking hands to merging: a batch of checked rows; and what merging hands back: their outcomes."""

from dataclasses import dataclass, field

import msgspec

from app.formats.records import Position
from app.problems import PROBLEMS, Problem, shorten
from app.runs import ledger
from app.runs.ledger import Fate
from app.runs.summary import RunWarning


@dataclass(slots=True)
class ReferenceColumn:
    """Which records of a type the rows of a batch name in one field. A cell is JSON text, a key or a list of keys as
    they were sent, or None for a row that names none. A field with an `alias_of` it names them as their type is
    `named_by`, and fills that reference where its own column does not."""

    field: str
    heading: str | None  # of the column; None for a constant
    type: str
    cells: list[str | None]
    alias_of: str = ""


@dataclass(slots=True)
class ApartColumn:
    """The values of a field that is no part of the record, but handed on beside it: JSON text, or None for a row that
    leaves it blank."""

    field: str
    cells: list[str | None]


@dataclass(frozen=True, slots=True)
class UnknownRecord:
    """Why a row fails that names a record which does not exist, and the field and the column in which it names it."""

    code: str
    field: str | None
    column: str | None = None

    def build_problem(self, checked: "CheckedBatch", index: int) -> Problem:
        return Problem(
            line=checked.lines[index],
            row=checked.rows[index],
            column=self.column,
            field=self.field,
            code=self.code,
            message=PROBLEMS[self.code],
            value=shorten(checked.keys[index]),
            key=shorten(checked.caller_key(checked.rows[index])),
        )


@dataclass(slots=True)
class CheckedBatch:
    """A batch after its rows are checked. `keys`, `rows`, `lines` and `data` (JSON text) run in parallel and hold the
    good rows in the order of the file, and so do the cells of `apart`, and of `references`, which are not in `data`
    before they are looked up. `key_forms` are the keys that a record may have, by its type and the name in the row.

    `incomplete` says, by index, what is wrong with a row if its record has to be created. `must_exist` are the indexes
    of rows that name a record by an id which this service makes; `unknown` says what is wrong with one if there is no
    such record."""

    start: Position
    end: Position
    last: bool
    keys: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    references: list[ReferenceColumn] = field(default_factory=list)
    apart: list[ApartColumn] = field(default_factory=list)
    key_forms: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    incomplete: dict[int, tuple[Problem, ...]] = field(default_factory=dict)
    must_exist: set[int] = field(default_factory=set)
    unknown: UnknownRecord | None = None
    problems: list[Problem] = field(default_factory=list)
    failed: int = 0
    failed_keys: list[str] = field(default_factory=list)  # of failed rows, where they are asked for and can be told
    warnings: list[RunWarning] = field(default_factory=list)
    caller_key_field: str | None = None  # the field by which the caller knows a record, where that is not its key
    generates_key: bool = False  # rows outside `must_exist` have keys that their callers do not know
    _index_of: dict[int, int] = field(default_factory=dict)  # of the good rows by their numbers, once it is needed

    def list_named(self) -> list[str]:
        """The keys that rows name, good or bad."""
        return self.keys + self.failed_keys

    def find_index(self, row: int) -> int:
        """Of the good row with this number."""
        if not self._index_of:
            self._index_of = {number: index for index, number in enumerate(self.rows)}
        return self._index_of[row]

    def find_key(self, row: int) -> str:
        return self.keys[self.find_index(row)]

    def caller_key(self, row: int) -> str:
        """What the good row with this number calls its record."""
        index = self.find_index(row)
        if self.generates_key and index not in self.must_exist:
            return ""
        if self.caller_key_field is None:
            return self.keys[index]
        return str(msgspec.json.decode(self.data[index]).get(self.caller_key_field, ""))

    def find_obstacles(self, index: int) -> list[Problem]:
        """What is wrong with a row whose record does not exist. Nearly all rows that name a record find it, so that
        they have none is written down only here."""
        problems = list(self.incomplete.get(index, ()))
        if self.unknown is not None and index in self.must_exist:
            problems.append(self.unknown.build_problem(self, index))
        return problems


@dataclass(frozen=True, slots=True)
class RepeatedKey:
    """A later row of a key: its number and line, and those of the row before it. `earlier_line` is None for a row of an
    earlier batch."""

    key: str
    row: int
    line: int
    earlier_row: int
    earlier_line: int | None

    def describe(self) -> str:
        earlier = f"row {self.earlier_row}"
        if self.earlier_line:
            earlier = f"line {self.earlier_line} ({earlier})"
        return f"Line {self.line} (row {self.row}) has the same key as {earlier}"


@dataclass(slots=True)
class BatchOutcome:
    """What became of a batch's rows: how many had which outcome, and what is worth reporting."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[RunWarning] = field(default_factory=list)
    created_rows: list[int] = field(default_factory=list)
    updated_rows: list[int] = field(default_factory=list)
    skipped_rows: dict[int, str] = field(default_factory=dict)  # those that were skipped for a reason of their own: why
    repeated: list[RepeatedKey] = field(default_factory=list)  # of which the warnings tell

    def skip(self, row: int, code: str) -> None:
        """`code` is that of the warning which says why."""
        self.skipped += 1
        self.skipped_rows[row] = code

    @property
    def superseded_rows(self) -> list[int]:
        """Those that were left alone because of an import that was accepted later."""
        return [row for row, code in self.skipped_rows.items() if code == "superseded"]

    def pack_fates(self, start: Position, end: Position) -> bytes | None:
        """What became of each row between the two positions, as it is stored; None where the counts tell it."""
        kinds = [name for name in ledger.COUNTED if getattr(self, name)]
        if len(kinds) <= 1 and not self.skipped_rows:
            return None
        # Whatever changed nothing is counted as one of these two: that depends on the import, and not on the row.
        letters = bytearray([ledger.LETTERS[Fate("unchanged" if self.unchanged else "skipped")]]) * (
            end.row - start.row
        )
        first_row = start.row + 1
        ledger.mark(letters, self.created_rows, Fate("created"), first_row=first_row)
        ledger.mark(letters, self.updated_rows, Fate("updated"), first_row=first_row)
        for row, code in self.skipped_rows.items():
            ledger.mark(letters, [row], Fate("skipped", code), first_row=first_row)
        return ledger.pack(bytes(letters))
