"""Ends the staging of an import, and applies its overlay to the records in one transaction."""

import json
from collections.abc import Callable, Sequence

from app.imports.merging.targets import build_target
from app.imports.plan import Options, load_options
from app.imports.staged.counts import Recount, ensure_counts
from app.observe.events import StepReached
from app.runs.deletion import drop_overlay
from app.runs.kinds import Step
from app.runs.lifecycle import RunLost, announce_end, end_run
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage import batches, claims, merge, records
from app.storage.applying import apply, closing, removal
from app.storage.applying.apply import Again, Applying
from app.storage.database import Session
from app.storage.merge import MergeTarget


async def finish_staging(runtime: Runtime, run: Run, target: MergeTarget, options: Options) -> None:
    """Every row has its outcome: lets the overlay be applied. Raises RunLost, Fatal."""
    async with runtime.database.transaction() as session:
        counted = await ensure_counts(session, run)
        removed = None
        if options.replace:
            good = sum(counted[name] for name in batches.MOVABLE)
            removed = await removal.count_unnamed(session, target) if good else 0
        if not await claims.next_step(session, run.id, run.attempt, Step.APPLY, removed=removed):
            raise RunLost


async def apply_import(runtime: Runtime, run: Run) -> bool:
    """Applies the overlay and ends the run, in one transaction. Returns True: it has ended. Raises RunLost, Fatal."""
    target = build_target(runtime, run)
    async with runtime.database.transaction() as session:
        await closing.close_types(session, target.account_id, [target.type])
        report_step(runtime, run, "closed")
        warnings = [dict(group) for group in run.warnings]
        recount = Recount(target.mode, await batches.list_starts(session, run.id), warnings)
        replace = load_options(run).replace
        removed = await apply_overlay(session, target, recount.note, removes=replace and run.success > 0)
        report_step(runtime, run, "applied")
        values = {"removed": removed if replace else None, "warnings": json.dumps(warnings)}
        if not await batches.recount(session, run.id, run.attempt, recount.moved, values):
            raise RunLost
        await ensure_counts(session, run)
        finished = await end_run(session, run.id, run.attempt, State.FINISHED)
        if finished is None:
            raise RunLost
    report_step(runtime, run, "finished")
    announce_end(runtime, finished)
    await drop_overlay(runtime, run.account_id, run.id)
    return True


async def apply_overlay(
    session: Session, target: MergeTarget, note: Callable[[Sequence[Again]], None], *, removes: bool
) -> int:
    """Writes what the overlay makes of the records of a type, and `removes` those that no row has named. `note` is told
    of rows whose outcome is not what it was when they were staged. Returns how many records were removed. The type has
    to be closed to all others."""
    await apply.use_indexes(session)
    others = await merge.find_other_imports(session, target)
    planned, written = await apply.count_planned(session, target), 0
    applying = Applying(session, target, await records.read_clock(session), creates=not others["replaced"])
    async for between in apply.list_ranges(session, target):
        written += await applying.write_range(between)
    if planned.marked or written < planned.created + planned.updated:
        await write_changed(applying, note)
    if planned.marked and others["older"]:
        async for between in apply.list_ranges(session, target):
            await apply.touch_range(session, target, between)
    return await removal.remove_unnamed(session, target) if removes else 0


async def write_changed(applying: Applying, note: Callable[[Sequence[Again]], None]) -> None:
    """Writes the records that have changed since they were staged. Single writes may go on meanwhile, so it looks again
    until there is none."""
    after = ""
    while True:
        changed = await applying.merge_again(after=after)
        if changed:
            note(changed)
            after = max(each.key for each in changed)
            await applying.write_keys([each.key for each in changed])
        elif after:
            after = ""
        else:
            return


def report_step(runtime: Runtime, run: Run, step: str) -> None:
    """Reports a named step; the fault tests stop the process at each of them."""
    runtime.observe(StepReached(run.id, step))
