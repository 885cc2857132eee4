"""The step `apply` of a sync: its overlay goes into the records, all types in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.imports.braking import ensure_room
from app.imports.staged.apply import NotAsShown, apply_overlay, open_applying
from app.imports.staged.counts import SKIPPED
from app.observe.events import StepReached
from app.problems import WARNINGS
from app.runs.deletion import drop_overlay
from app.runs.holding.brakes import Brakes, Tally
from app.runs.holding.held import read_accepted
from app.runs.lifecycle import RunLost, announce_end, announce_held, hold_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage.applying import closing, removal
from app.storage.applying.apply import Again
from app.storage.database import Session
from app.storage.merge import MergeTarget
from app.storage.overlays.view import use_indexes
from app.storage.syncs import progress
from app.syncs.report import SyncReport, load_report, report_to_json
from app.syncs.steps import go_on, load_run_settings
from app.syncs.writing.finish import count_rows, describe_breaches, find_removable
from app.syncs.writing.reading import Reading, load_reading
from app.syncs.writing.report import Counts
from app.syncs.writing.targets import ITEMS, TYPES, Targets, build_targets

SHOWN: Final = ("added", "changed", "removed")  # what somebody decides about
# By the fate of a record that has changed since it was staged; any other is skipped.
OUTCOMES: Final = {"new": "added", "changed": "changed", "same": "unchanged"}


async def apply_sync(runtime: Runtime, run: Run) -> bool:
    """Applies the overlay in one transaction, and says whether that has ended the run or it is held. If it would do
    something else by now than somebody was shown, or than its brakes have let pass, nothing is written. Raises RunLost,
    Fatal, Halted."""
    applying = load_applying(runtime, run)
    try:
        ended = await apply_types(applying)
    except NotAsShown:
        await show_again(load_applying(runtime, run))
        return True
    applying.report_step("applied")
    announce_end(runtime, ended)
    await drop_overlay(runtime, run.account_id, run.id)
    return ended is not None


@dataclass(slots=True)
class Application:
    """An overlay on its way into the records, and what comes of it."""

    runtime: Runtime
    run: Run
    targets: Targets
    reading: Reading
    report: SyncReport
    counts: Counts
    warnings: list[dict[str, Any]]

    async def find_removable(self, session: Session) -> frozenset[str]:
        return find_removable(self.targets, await count_rows(session, self.run.id, self.report, self.reading))

    @property
    def released(self) -> bool:
        """Whether somebody has seen what it would do, and resumed it."""
        return bool(self.run.options.get("released"))

    @property
    def accepted(self) -> Brakes | None:
        """The limits within which that somebody accepts what it comes to; None: only what was shown."""
        return read_accepted(self.run)

    async def find_breach(self, session: Session, *, applied: bool = False) -> str:
        """Which brakes stop it by now, in words; nothing if none does. `applied`: it is in the records already."""
        brakes = self.accepted if self.released else load_run_settings(self.run).brakes
        tally = Tally(self.run.total or 0, self.run.failed)
        if brakes is None:
            return ""
        return await describe_breaches(session, self.targets, brakes, self.counts, tally, applied=applied)

    def describe(self) -> dict[str, Any]:
        """The columns of the run that change."""
        self.report.entities = self.counts.entities
        removed = {"removed": self.counts.of(ITEMS)["removed"]} if self.targets.replaces else {}
        return {"report": report_to_json(self.report), "warnings": self.warnings, **removed}

    def report_step(self, step: str) -> None:
        """Reports a named step; the fault tests stop the process at each of them."""
        self.runtime.observe(StepReached(self.run.id, step))


def load_applying(runtime: Runtime, run: Run) -> Application:
    settings, report = load_run_settings(run), load_report(run)
    targets = build_targets(run, replaces=settings.mode == "full", record_bytes=runtime.limits.record_bytes)
    warnings = [dict(group) for group in run.warnings]
    return Application(runtime, run, targets, load_reading(run) or (), report, Counts(report.entities), warnings)


async def apply_types(applying: Application) -> Run | None:
    """The run, if that has ended it. Raises NotAsShown, RunLost, Halted."""
    run, counts = applying.run, applying.counts
    async with applying.runtime.database.transaction() as session:
        await closing.close_types(session, run.account_id, TYPES)
        removable = await applying.find_removable(session)
        for each in TYPES:
            note, target = build_note(counts.of(each), applying.warnings), applying.targets.of(each, flat=False)
            counts.of(each)["removed"] = await apply_overlay(session, target, note, removes=each in removable)
            applying.report_step(f"applied {each}")
        if await is_unwanted(session, applying):
            raise NotAsShown
        await ensure_room(session, run.account_id, created=counts.sum("added"), removed=counts.sum("removed"))
        return await go_on(session, run, applying.describe())


async def is_unwanted(session: Session, applying: Application) -> bool:
    """Whether what is applied now is neither what was shown nor within the limits that count."""
    differs, accepted = bool(find_differences(applying.run, applying.counts)), applying.accepted is not None
    if differs and applying.released and not accepted:
        return True
    return (differs or accepted) and bool(await applying.find_breach(session, applied=True))


async def show_again(applying: Application) -> None:
    """Stages again what has changed, and halts the run with what it would do now. Raises RunLost."""
    run, counts = applying.run, applying.counts
    async with applying.runtime.database.transaction() as session:
        await closing.close_types(session, run.account_id, TYPES)
        await use_indexes(session)
        removable = await applying.find_removable(session)
        for each in TYPES:
            note, target = build_note(counts.of(each), applying.warnings), applying.targets.of(each, flat=False)
            await stage_again(session, target, note)
            counts.of(each)["removed"] = await removal.count_unnamed(session, target) if each in removable else 0
        if not await progress.change(session, run.id, run.attempt, run.step, applying.describe()):
            raise RunLost
        tripped = await applying.find_breach(session)
        code, detail = ("brake", tripped) if tripped else ("plan_changed", ". ".join(find_differences(run, counts)))
        held = await hold_run(session, run.id, run.attempt, State.HALTED, code=code, detail=detail)
    announce_held(applying.runtime, held)


async def stage_again(session: Session, target: MergeTarget, note: Callable[[Sequence[Again]], None]) -> None:
    applying, after = await open_applying(session, target), ""
    while changed := await applying.merge_again(after=after, written=False):
        note(changed)
        after = max(each.key for each in changed)


def find_differences(run: Run, counts: Counts) -> list[str]:
    """In what the run would do something else by now than somebody was shown, in whole sentences."""
    shown = load_report(run).entities
    return [
        f"Of `{each}`, {counts.of(each)[outcome]:,} would be {outcome} by now, and not {before:,}"
        for each in TYPES
        for outcome in SHOWN
        if counts.of(each)[outcome] != (before := shown.get(each, {}).get(outcome, 0))
    ]


def build_note(found: dict[str, int], warnings: list[dict[str, Any]]) -> Callable[[Sequence[Again]], None]:
    """Counts and tells what has become of records that somebody has changed since they were staged."""

    def note(changed: Sequence[Again]) -> None:
        for again in changed:
            planned = ("added" if again.was_new else "changed") if again.rows else "unchanged"
            found[planned] = max(0, found[planned] - 1)
            found[OUTCOMES.get(again.fate, "skipped")] += 1
            if code := SKIPPED.get(again.fate):
                add_warnings(warnings, [RunWarning(code, "", WARNINGS[code], again.row)])

    return note
