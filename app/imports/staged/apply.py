"""Ends the staging of an import, and applies its overlay to the records in one transaction."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.errors import SluiceError
from app.imports.braking import ensure_room, find_staged_breach
from app.imports.merging.targets import build_target
from app.imports.plan import Options, load_options
from app.imports.staged.counts import Recount, describe_difference, ensure_counts
from app.observe.events import StepReached
from app.problems import WARNINGS
from app.runs.deletion import drop_overlay
from app.runs.holding.brakes import Tally
from app.runs.kinds import Step
from app.runs.lifecycle import RunLost, announce_end, announce_held, end_run, hold_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage import batches, claims, records
from app.storage.applying import apply, closing, naming, removal
from app.storage.applying.apply import Again, Applying
from app.storage.database import Session
from app.storage.journal.writer import tell_journal
from app.storage.merge import MergeTarget
from app.storage.overlays.view import use_indexes
from app.storage.syncs.progress import forget_all_images

IMAGES: Final = "item-images"
ROLLED_BACK: Final = "{failed:,} of {total:,} rows failed, so nothing is written: `onError` is rollback"


class NotAsShown(SluiceError):
    """What a run would do is not what somebody was shown before it was resumed, or by now a brake stops it; what was
    written must be rolled back."""


async def finish_staging(runtime: Runtime, run: Run, target: MergeTarget, options: Options) -> bool:
    """Every row has its outcome: lets the overlay be applied. Or a dry run waits, a brake halts it, or it ends because
    a row has failed and all or nothing was to be written: then it returns True. Raises RunLost, Fatal."""
    async with runtime.database.transaction() as session:
        await use_indexes(session)
        counted = await ensure_counts(session, run)
        good = counted["total"] - counted["failed"]
        removed = await removal.count_unnamed(session, target) if options.replace and good else 0
        tally = await build_tally(session, target, counted, removed)
        shown = removed if options.replace else None
        if not await claims.next_step(session, run.id, run.attempt, Step.APPLY, removed=shown):
            raise RunLost
        if options.on_error == "rollback" and counted["failed"]:
            detail = ROLLED_BACK.format(**counted)
            ended = await end_run(session, run.id, run.attempt, State.FAILED, code="rolled_back", detail=detail)
        else:
            ended = await hold_staged(session, run, options, find_staged_breach(options, tally))
    if ended is None:
        return False
    if ended.done:
        announce_end(runtime, ended)
        await drop_overlay(runtime, run.account_id, run.id)
    else:
        announce_held(runtime, ended)
    return True


async def hold_staged(session: Session, run: Run, options: Options, tripped: str | None) -> Run | None:
    """Lets a dry run wait for somebody, and any other if brakes have `tripped`: what they say."""
    if not (options.dry_run or tripped):
        return None
    state, code = State.PLANNED if options.dry_run else State.HALTED, "brake" if tripped else None
    return await hold_run(session, run.id, run.attempt, state, code=code, detail=tripped)


async def apply_import(runtime: Runtime, run: Run) -> bool:
    """Applies the overlay and ends the run, in one transaction. If it would do something else by now than somebody was
    shown, or than its brakes have let pass, nothing is written and it is halted. Returns True: it has ended, or is
    held. Raises RunLost, Fatal, Halted."""
    target, options = build_target(runtime, run), load_options(run)
    try:
        finished = await apply_and_end(runtime, run, target, options)
    except NotAsShown:
        await show_again(runtime, run, target, options)
        return True
    report_step(runtime, run, "finished")
    announce_end(runtime, finished)
    await drop_overlay(runtime, run.account_id, run.id)
    return True


async def apply_and_end(runtime: Runtime, run: Run, target: MergeTarget, options: Options) -> Run:
    async with runtime.database.transaction() as session:
        await closing.close_types(session, target.account_id, [target.type])
        report_step(runtime, run, "closed")
        recount = Recount(target.mode, await batches.list_starts(session, run.id), [*map(dict, run.warnings)])
        removed = await apply_overlay(session, target, recount.note, removes=options.replace and run.success > 0)
        report_step(runtime, run, "applied")
        differs = recount.changed > 0 or removed != (run.removed or 0)
        if options.released and options.accepted is None and differs:
            raise NotAsShown
        if options.replace and not run.success:
            add_warnings(recount.warnings, [RunWarning("nothing_replaced", "", WARNINGS["nothing_replaced"])])
        await store_counts(session, run, recount, removed if options.replace else None)
        counted = await ensure_counts(session, run)
        if removed and target.type == IMAGES:
            await forget_all_images(session, target.account_id)
        tally = await build_tally(session, target, counted, removed, applied=True)
        if (differs or options.accepted is not None) and find_staged_breach(options, tally):
            raise NotAsShown
        await ensure_room(session, run.account_id, created=counted["created"], removed=removed)
        finished = await end_run(session, run.id, run.attempt, State.FINISHED)
        if finished is None:
            raise RunLost
    return finished


async def show_again(runtime: Runtime, run: Run, target: MergeTarget, options: Options) -> None:
    """Stages again what has changed, and halts the run with what it would do now."""
    async with runtime.database.transaction() as session:
        await closing.close_types(session, target.account_id, [target.type])
        await use_indexes(session)
        recount = Recount(target.mode, await batches.list_starts(session, run.id), [*map(dict, run.warnings)])
        await stage_again(await open_applying(session, target), recount.note)
        removes = options.replace and run.success > 0
        removed = await removal.count_unnamed(session, target) if removes else 0
        await store_counts(session, run, recount, removed if options.replace else None)
        counted = await ensure_counts(session, run)
        tripped = find_staged_breach(options, await build_tally(session, target, counted, removed))
        code, detail = (
            ("brake", tripped) if tripped else ("plan_changed", describe_difference(run, counted, recount.changed))
        )
        held = await hold_run(session, run.id, run.attempt, State.HALTED, code=code, detail=detail)
    announce_held(runtime, held)


async def build_tally(
    session: Session, target: MergeTarget, counted: Mapping[str, Any], removed: int, *, applied: bool = False
) -> Tally:
    """What the brakes look at. `counted` is the run's row; `applied`: its overlay is applied already."""
    stored = await removal.count_stored(session, target) if target.names_keys or target.removes else 0
    updated = counted["updated"]
    if target.removes:
        removed, updated = updated, 0
    if applied:
        stored += removed - counted["created"]
    return Tally(counted["total"], counted["failed"], counted["created"], updated, removed, stored)


async def store_counts(session: Session, run: Run, recount: Recount, removed: int | None) -> None:
    """Raises RunLost."""
    values = {"removed": removed, "warnings": json.dumps(recount.warnings)}
    outcomes = await recount.pack_letters(session, run.id)
    if not await batches.recount(session, run.id, run.attempt, recount.moved, values, outcomes=outcomes):
        raise RunLost


async def open_applying(session: Session, target: MergeTarget) -> Applying:
    others = await closing.find_other_imports(session, target)
    now, later = await records.read_clock(session), others["removed_by"]
    return Applying(session, target, now, creates=not others["replaced"], removed_by=later)


async def apply_overlay(
    session: Session, target: MergeTarget, note: Callable[[Sequence[Again]], None], *, removes: bool
) -> int:
    """Writes what the overlay makes of the records of a type, and `removes` those that no row has named; or removes
    those that rows have named, if that is what they are for. `note` is told of rows whose outcome is not what it was
    when they were staged. Returns how many records were removed. The type has to be closed to all others."""
    await use_indexes(session)
    await tell_journal(session, run_id=target.run_id, kept=target.noted)
    if target.removes:
        return await remove_named(session, target, note)
    applying, ranges, written = await open_applying(session, target), await apply.list_ranges(session, target), 0
    for each in ranges:
        written += await applying.write_range(each)
    marked = any(each.marked for each in ranges)
    if marked or written < sum(each.created + each.updated for each in ranges):
        await write_changed(applying, note)
    # What keeps every record as it is has nothing to hold against an older import, as when it is written directly.
    if marked and target.mode != "keep" and (await closing.find_other_imports(session, target))["older"]:
        for each in ranges:
            await apply.touch_range(session, target, each)
    return await removal.remove_unnamed(session, target) if removes else 0


async def remove_named(session: Session, target: MergeTarget, note: Callable[[Sequence[Again]], None]) -> int:
    """Removes the records that rows have named. All of them are locked before anything is: what single writes have
    changed is looked at once more, and then nobody changes them."""
    ranges = await apply.list_ranges(session, target)
    for each in ranges:
        await naming.lock_range(session, target, each)
    await stage_again(await open_applying(session, target), note)
    return sum([await naming.remove_range(session, target, each) for each in ranges])


async def stage_again(applying: Applying, note: Callable[[Sequence[Again]], None]) -> None:
    """Stages once more what has changed since it was staged."""
    after = ""
    while changed := await applying.merge_again(after=after, written=False):
        note(changed)
        after = max(each.key for each in changed)


async def write_changed(applying: Applying, note: Callable[[Sequence[Again]], None]) -> None:
    """Writes the records that have changed since they were staged. Single writes may go on meanwhile, so it looks again
    until there is none."""
    after = ""
    while True:
        changed = await applying.merge_again(after=after, written=True)
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
