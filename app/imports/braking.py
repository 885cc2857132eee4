"""What stops an import before its end: its brakes, and the first row that fails if it is not to go on then.

Written batch after batch, an import stops before the batch that would go beyond a limit. A staged one stops once every
row is staged.
"""

from dataclasses import dataclass, replace

from app.errors import Halted
from app.imports.plan import Options
from app.imports.rows import BatchOutcome, CheckedBatch
from app.quotas.stored import is_over_quota
from app.runs.holding.brakes import Brakes, Tally, find_tripped
from app.runs.model import Run
from app.storage.database import Session

OVER_QUOTA = "The account would have more records than its quota allows"


class CutShort(Exception):
    """Only so many `rows` of a batch may be written, and what was written of it must be rolled back."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


@dataclass(slots=True)
class DirectBrakes:
    """The brakes of a run, and what its committed batches come to."""

    brakes: Brakes | None
    tally: Tally
    room: int | None = None  # up to how many records the run may create within the quota of its account

    def count(self, outcome: BatchOutcome) -> Tally:
        """What it comes to with a batch that is not committed yet."""
        tally = self.tally
        return replace(
            tally,
            failed=tally.failed + outcome.failed,
            created=tally.created + outcome.created,
            updated=tally.updated + outcome.updated,
        )

    def check(self, outcome: BatchOutcome, at_row: int) -> Tally:
        """What it comes to with this batch, which begins after so many rows. Raises Halted."""
        counted = self.count(outcome)
        if self.room is not None and outcome.created and counted.created > self.room:
            raise Halted("record_quota", ". ".join([OVER_QUOTA, describe_written(at_row, self.tally)]))
        if tripped := find_tripped(self.brakes, counted):
            told = [tripped, *describe_first_problem(outcome), describe_written(at_row, self.tally)]
            raise Halted("brake", ". ".join(told))
        return counted


def open_brakes(run: Run, options: Options, room: int | None = None) -> DirectBrakes:
    """`room`: how many more records the account may have; None: any number."""
    tally = Tally(run.total or 0, failed=run.failed, created=run.created, updated=run.updated)
    if options.is_staged:  # it is judged when all of it is known
        return DirectBrakes(None, tally)
    return DirectBrakes(options.brakes_in_force, tally, None if room is None else run.created + room)


async def ensure_room(session: Session, account_id: int, *, created: int, removed: int) -> None:
    """That the account has room for what this transaction has applied of a staged run: now it is known what that comes
    to. Raises Halted, and nothing may be written then."""
    if created > removed and await is_over_quota(session, account_id):
        raise Halted("record_quota", f"{OVER_QUOTA}. Nothing is written yet")


def find_staged_breach(options: Options, tally: Tally) -> str | None:
    """Says which brakes stop an import of which every row is staged; None if none does."""
    tripped = find_tripped(options.brakes_in_force, tally)
    return tripped and f"{tripped}. Nothing is written yet"


def describe_first_problem(outcome: BatchOutcome) -> list[str]:
    """Nobody finds the problems of a batch that is not written in the report."""
    if not outcome.problems:
        return []
    first = min(outcome.problems, key=lambda problem: problem.row)
    subject = f", column `{first.column}`" if first.column else ""
    return [f"The first row that failed is on line {first.line}{subject}: {first.message}"]


def describe_written(at_row: int, tally: Tally) -> str:
    written = f"records created so far: {tally.created:,}, changed: {tally.updated:,}"
    return f"The import stopped before row {at_row + 1:,}; {written if at_row else 'nothing is written'}"


def describe_stop(checked: CheckedBatch, outcome: BatchOutcome, brakes: DirectBrakes) -> str | None:
    """Says which row ends an import that is to stop at the first one that fails; None if none has failed. Raises
    CutShort unless that is the last row of the batch: what follows it is not to be written, and no brake is to judge
    it."""
    if not outcome.failed:
        return None
    row = min(problem.row for problem in outcome.problems)
    if row < checked.end.row:
        raise CutShort(row - checked.start.row)
    tally = brakes.count(outcome)
    written = f"records created: {tally.created:,}, changed: {tally.updated:,}"
    left = f"rows that were not looked at: {tally.total - row:,}"
    return ". ".join([*describe_first_problem(outcome), f"The rows before it are written; {written}; {left}"])
