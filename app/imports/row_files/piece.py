"""The rows of a piece of a file that is read again, side by side with what became of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import BinaryIO, Final

from app.formats.records import Batch, Position, Reader, Record, UnreadableRow
from app.imports.results.reread import CommittedBatch, ProblemsByRow
from app.imports.row_files.key_teller import KeyTeller
from app.problems import WARNINGS, Problem
from app.runs import ledger
from app.runs.ledger import FAILED, FATE_OF, Fate

OUTCOME_OF: Final = {letter: fate.outcome for letter, fate in FATE_OF.items()}
READ_BYTES: Final = 32_768  # of the file that are held as rows at once: ten times as much in memory
MOST_RAW_BYTES: Final = 4_194_304
TOLD: Final = {letter: fate for letter, fate in FATE_OF.items() if fate.code}


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a row failed or was skipped: codes, and a sentence for each thing."""

    codes: Sequence[str]
    messages: Sequence[str]


@dataclass(slots=True)
class Piece:
    """Parallel lists. `raw` has the line of each row as it was sent, without its end, where each row is one line.
    `reasons` are by the index of the row, and most rows have none."""

    records: Sequence[Record | UnreadableRow]
    lines: Sequence[int]
    outcomes: Sequence[str]
    keys: Sequence[str]
    reasons: Mapping[int, Reasons] = field(default_factory=dict)
    raw: Sequence[bytes] | None = None

    def select(self, wanted: Collection[str]) -> "Piece":
        """The rows with these outcomes."""
        chosen = [outcome in wanted for outcome in self.outcomes]
        if all(chosen):
            return self
        places = list(compress(range(len(chosen)), chosen))
        reasons = {place: self.reasons[index] for place, index in enumerate(places) if index in self.reasons}
        raw = None if self.raw is None else [self.raw[index] for index in places]
        return Piece(
            [self.records[index] for index in places],
            [self.lines[index] for index in places],
            [self.outcomes[index] for index in places],
            [self.keys[index] for index in places],
            reasons,
            raw,
        )


def read_pieces(file: BinaryIO, reader: Reader, teller: KeyTeller | None, batch: CommittedBatch) -> Iterator[Piece]:
    """All rows of a committed batch in the order of the file. Without a `teller` their keys are not told. Blocking."""
    letters, problems = ledger.unpack(batch), ProblemsByRow(batch)
    position = Position(batch["at_offset"], batch["at_line"], batch["at_row"])
    first_row, last_row = position.row + 1, position.row + len(letters)
    while position.row < last_row:
        read = reader.read(position, max_rows=last_row - position.row, max_bytes=READ_BYTES)
        read.keep_first(last_row - position.row)
        told = letters[position.row + 1 - first_row : read.end.row + 1 - first_row]
        failed = problems.take_until(read.end.row)
        keys = teller.tell(read, failed.keys()) if teller else {}
        yield build_piece(read, told, keys, failed, read_lines(file, read))
        if read.last:
            return
        position = read.end


def build_piece(
    read: Batch,
    letters: bytes,
    keys: Mapping[int, str],
    problems: Mapping[int, Sequence[Problem]],
    raw: Sequence[bytes] | None,
) -> Piece:
    first_row = read.start.row + 1
    outcomes = [OUTCOME_OF[letter] for letter in letters]
    reasons = {index: explain(FATE_OF[letter]) for index, letter in enumerate(letters) if letter in TOLD}
    for row in problems.keys() & range(first_row, read.end.row + 1):
        outcomes[row - first_row] = FAILED.outcome
        reasons[row - first_row] = explain_failure(problems[row])
    records: Sequence[Record | UnreadableRow] = read.records
    lines: Sequence[int] = read.lines
    if read.unreadable:
        both = {**dict(zip(read.rows, read.records, strict=True)), **{each.row: each for each in read.unreadable}}
        line_of = {**dict(zip(read.rows, read.lines, strict=True)), **{each.row: each.line for each in read.unreadable}}
        numbers = range(first_row, read.end.row + 1)
        records, lines = [both[number] for number in numbers], [line_of[number] for number in numbers]
    told = [keys.get(row, "") for row in range(first_row, read.end.row + 1)]
    return Piece(records, lines, outcomes, told, reasons, raw)


def explain(fate: Fate) -> Reasons:
    return Reasons((fate.code,), (WARNINGS[fate.code],))


def explain_failure(problems: Sequence[Problem]) -> Reasons:
    messages = [f"{each.column}: {each.message}" if each.column else each.message for each in problems]
    return Reasons(list(dict.fromkeys(each.code for each in problems)), messages)


def read_lines(file: BinaryIO, read: Batch) -> list[bytes] | None:
    """The line of each row that was read, if each row is one line and all others are blank."""
    size = read.end.offset - read.start.offset
    if size > MOST_RAW_BYTES:
        return None
    file.seek(read.start.offset)
    lines = file.read(size).splitlines()
    rows = read.end.row - read.start.row
    if len(lines) > rows:
        lines = [line for line in lines if line]
    return lines if len(lines) == rows else None
