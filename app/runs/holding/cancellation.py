"""Cancels runs that wait, are worked on or are held: what they have written stays, and nothing else is written.

The run is taken from its worker as another worker would take it, so that whatever the worker still writes is rolled
back. A batch that is being committed counts. The worker looks every second whether it has lost the run, and breaks off
a transfer or an export in the middle.
"""

from typing import Final

from app.errors import Refused
from app.runs.holding.held import Opening, look_again
from app.runs.kinds import KINDS, Kind
from app.runs.lifecycle import announce_end, end_run
from app.runs.model import Run, run_from
from app.runs.states import State, states_before
from app.runtime import Runtime
from app.storage import claims
from app.storage.database import Session

ENDED: Final = "This {kind} has ended already, so nothing was cancelled. What it has written stays"


async def cancel_run(runtime: Runtime, opening: Opening, run: Run) -> Run:
    """Ends a run that has not ended. One that was cancelled before stays as it is. `opening` is a transaction in the
    name of the caller. Raises Refused("already_ended")."""
    async with opening as session:
        cancelled = await cancel_open(session, run)
        run = cancelled or await look_again(session, run)
    announce_end(runtime, cancelled)
    if run.state is not State.CANCELLED:
        raise Refused("already_ended", ENDED.format(kind=KINDS[run.kind].word))
    return run


async def cancel_open(session: Session, run: Run) -> Run | None:
    """The run, cancelled; None if it had ended."""
    row = await claims.revoke(session, run.id, before=states_before(State.CANCELLED))
    if row is None:
        return None
    taken = run_from(row)
    detail = f"The {KINDS[taken.kind].word} was cancelled. {tell_what_stays(taken)}"
    return await end_run(session, taken.id, taken.attempt, State.CANCELLED, code="cancelled", detail=detail)


def tell_what_stays(run: Run) -> str:
    """What an open run will have written if it is cancelled now, in whole sentences."""
    if run.kind is Kind.EXPORT:
        return "No file was written" if run.blob is None else "Its file is written and stays"
    written = count_written(run)
    told = f"{count_rows(written)} written and stay{'s' if written == 1 else ''}" if written else "Nothing was written"
    return f"{told}; {count_rows(run.remaining)} not looked at" if run.remaining else told


def count_written(run: Run) -> int:
    """Rows of an open run that have created or changed a record."""
    return 0 if run.is_unwritten else run.created + run.updated


def count_rows(number: int) -> str:
    return f"{number:,} row was" if number == 1 else f"{number:,} rows were"
