"""The brakes of an import: what would go beyond a limit is not written.

Written batch after batch, an import stops before the batch that would. A staged one stops once every row is staged.
"""

from dataclasses import dataclass, replace

from app.errors import Halted
from app.imports.plan import Options
from app.imports.rows import BatchOutcome
from app.runs.holding.brakes import Brakes, Tally, find_tripped
from app.runs.model import Run


@dataclass(slots=True)
class DirectBrakes:
    """The brakes of a run, and what its committed batches come to."""

    brakes: Brakes | None
    tally: Tally

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
        if tripped := find_tripped(self.brakes, counted):
            told = [tripped, *describe_first_problem(outcome), describe_written(at_row, self.tally)]
            raise Halted("brake", ". ".join(told))
        return counted


def open_brakes(run: Run, options: Options) -> DirectBrakes:
    brakes = None if options.is_staged else options.brakes_in_force
    return DirectBrakes(brakes, Tally(run.total or 0, failed=run.failed, created=run.created, updated=run.updated))


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
