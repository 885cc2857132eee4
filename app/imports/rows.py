"""What travels between the stages of an import: checked rows on their way to the store, and what became of them."""

from dataclasses import dataclass, field

import msgspec

from app.formats.records import Position
from app.problems import Problem

# Columns that a failed-rows file carries behind the original ones; it may be corrected and sent back as it is.
REPORT_COLUMNS = ("_line", "_codes", "_messages")


@dataclass(frozen=True, slots=True)
class Warned:
    """Something worth knowing that is not an error; equal codes and subjects are counted together."""

    code: str
    subject: str  # what it is about, e.g. a column; the samples of one subject are kept together
    message: str
    row: int | None = None
    line: int | None = None


@dataclass(slots=True)
class CheckedBatch:
    """A batch after validation. `keys`, `rows`, `lines` and `data` (JSON text) run in parallel and hold the good rows
    in the file's order; `incomplete` names, by index, what a row lacks should its record have to be created."""

    start: Position
    end: Position
    last: bool
    keys: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    incomplete: dict[int, tuple[Problem, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: int = 0
    warnings: list[Warned] = field(default_factory=list)
    called_by: str | None = None  # the field by which a row calls its record, where that is not its key
    places: dict[int, int] = field(default_factory=dict)  # of the good rows, by their numbers, once somebody asks

    def called(self, row: int) -> str:
        """What one of the good rows calls its record."""
        if not self.places:
            self.places = {each: index for index, each in enumerate(self.rows)}
        index = self.places[row]
        if self.called_by is None:
            return self.keys[index]
        return str(msgspec.json.decode(self.data[index]).get(self.called_by, ""))


@dataclass(slots=True)
class Outcome:
    """What became of a batch's rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    new_rows: list[int] = field(default_factory=list)  # of an import that keeps a ledger: those that made records
    left_rows: list[int] = field(default_factory=list)  # of any: those that an import accepted later had overtaken
