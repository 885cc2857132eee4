"""The undo engine: takes back all that a run has changed, in one transaction that also ends the undo.

So it is done wholly or not at all: a worker that dies leaves nothing, and the next one begins again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from app.errors import Retryable
from app.observe.events import StepReached
from app.problems import PROBLEMS, WARNINGS, Problem
from app.runs import problems
from app.runs.lifecycle import RunLost, Stopping, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage import batches
from app.storage.applying import closing
from app.storage.database import Session
from app.storage.journal import undoing
from app.storage.journal.results import store_counts
from app.storage.journal.undoing import LeftAlone, Undoing, UndonePiece
from app.storage.journal.writer import tell_journal
from app.storage.syncs.progress import forget_all_images
from app.undo.intake import TYPES, UNDOES

CODE: Final = "changed_since"
IMAGES: Final = "item-images"
DONE: Final = {True: "removed", False: "changed"}


class InTheWay(Retryable):
    """Somebody has changed a record while it was taken back. The whole undo is tried again."""

    part: ClassVar[str] = "database"


async def work(runtime: Runtime, run: Run, stopping: Stopping) -> bool:  # noqa: ARG001  it is one transaction
    """Undoes the parent and ends the run. Returns True. Raises RunLost, InTheWay."""
    async with runtime.database.transaction() as session:
        await closing.close_types(session, run.account_id, run.options[TYPES])
        report_step(runtime, run, "closed")
        await undo_all(session, run, Undoing(run.account_id, run.options[UNDOES], run.id, run.seq))
        report_step(runtime, run, "undone")
        if IMAGES in run.options[TYPES]:
            await forget_all_images(session, run.account_id)
        finished = await end_run(session, run.id, run.attempt, State.FINISHED)
        if finished is None:
            raise RunLost
    report_step(runtime, run, "finished")
    announce_end(runtime, finished)
    return True


async def undo_all(session: Session, run: Run, parent: Undoing) -> None:
    """Raises RunLost, InTheWay."""
    await tell_journal(session, run_id=run.id)
    await undoing.look_up_only(session)
    warnings: list[dict[str, Any]] = []
    counts = dict.fromkeys(("created", "updated", "unchanged", "skipped", "removed"), 0)
    number, row = 0, 0
    async for piece in undoing.undo_pieces(session, parent):
        if not piece.complete:
            raise InTheWay
        number += 1
        outcomes = count_outcomes(piece)
        found = [build_problem(each) for each in piece.left_alone]
        await batches.add(session, describe_batch(run, number, row, outcomes, found))
        add_warnings(warnings, [RunWarning(CODE, "", WARNINGS[CODE], each.row) for each in piece.left_alone])
        row += piece.total
        for name, count in (outcomes | {"removed": piece.removed}).items():
            counts[name] += count
    values = counts | {"total": row, "batches": number, "warnings": warnings}
    if not await store_counts(session, run.id, run.attempt, values):
        raise RunLost


def count_outcomes(piece: UndonePiece) -> dict[str, int]:
    """As the counts of a run have it: its rows are the changes that it undoes. Records that it removes are changed,
    and `removed` tells beside it how many they are."""
    return {
        "created": piece.put_back,
        "updated": piece.restored + piece.removed,
        "unchanged": piece.same,
        "skipped": len(piece.left_alone),
    }


def build_problem(left: LeftAlone) -> Problem:
    """`row`: of the run that is undone."""
    message = PROBLEMS[CODE].format(type=left.type, done=DONE[left.gone])
    return Problem(0, left.row or 0, None, None, CODE, message, None, key=left.key)


def describe_batch(
    run: Run, number: int, row: int, outcomes: Mapping[str, int], found: Sequence[Problem]
) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "number": number,
        "attempt": run.attempt,
        "at_offset": 0,
        "at_line": 1,
        "at_row": row,
        **outcomes,
        "failed": 0,
        "problem_count": len(found),
        "problems": problems.pack(found),
    }


def report_step(runtime: Runtime, run: Run, step: str) -> None:
    """Reports a named step; the fault tests stop the process at each of them."""
    runtime.observe(StepReached(run.id, step))
