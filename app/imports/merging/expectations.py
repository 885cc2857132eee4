"""What a run expects of its next rows, by what became of those before. It only decides how long they take."""

from dataclasses import replace

from app.imports.rows import BatchOutcome
from app.runs.model import Run
from app.storage import records
from app.storage.database import ReadSession
from app.storage.merge import Expected, MergeTarget


async def expect(session: ReadSession, target: MergeTarget, run: Run) -> MergeTarget:
    """The target of a run for its next batches, with what is expected of them: that they are like those before. If
    there are none, they may be all new if there is no record of the type yet; else most rows are the same again."""
    if target.staged:
        return target
    if run.batches:
        return replace(target, expects=foresee(run))
    has_any = await records.has_any(session, target.account_id, target.type)
    return replace(target, expects="same" if has_any else "new")


def expect_after(target: MergeTarget, outcome: BatchOutcome) -> MergeTarget:
    """The same after one of the batches. Who has met a record expects to meet more."""
    if target.staged or not (outcome.created or outcome.updated or outcome.unchanged or outcome.skipped):
        return target
    expected = foresee(outcome)
    return replace(target, expects=expected if expected != "new" or target.expects == "new" else "")


def expect_hidden(target: MergeTarget) -> MergeTarget:
    """The same for a batch of which some records are written, but not committed: who only looks at them would see what
    was there before (trap 26)."""
    return replace(target, expects="") if target.expects == "same" else target


def foresee(past: Run | BatchOutcome) -> Expected:
    """Looking at a record before it is changed takes twice what is saved where it is not."""
    if past.created and not (past.updated or past.unchanged or past.skipped):
        return "new"
    return "same" if past.unchanged > 2 * (past.created + past.updated) else ""
