"""The step `apply` of a sync: its overlay goes into the records, all types in one transaction."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from app.imports.staged.apply import apply_overlay
from app.imports.staged.counts import SKIPPED
from app.observe.events import StepReached
from app.problems import WARNINGS
from app.runs.deletion import drop_overlay
from app.runs.lifecycle import announce_end
from app.runs.model import Run
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage.applying import closing
from app.storage.applying.apply import Again
from app.syncs.report import load_report, report_to_json
from app.syncs.steps import go_on, load_run_settings
from app.syncs.writing.finish import count_rows, find_removable
from app.syncs.writing.reading import load_reading
from app.syncs.writing.report import Counts
from app.syncs.writing.targets import ITEMS, TYPES, build_targets

# By the fate of a record that has changed since it was staged; any other is skipped.
OUTCOMES: Final = {"new": "added", "changed": "changed", "same": "unchanged"}


async def apply_sync(runtime: Runtime, run: Run) -> bool:
    """Says whether that has ended the run. Raises RunLost, Fatal."""
    settings, report = load_run_settings(run), load_report(run)
    targets = build_targets(run, replaces=settings.mode == "full", record_bytes=runtime.limits.record_bytes)
    counts, warnings = Counts(report.entities), [dict(group) for group in run.warnings]
    async with runtime.database.transaction() as session:
        await closing.close_types(session, run.account_id, TYPES)
        removable = find_removable(targets, await count_rows(session, run.id, report, load_reading(run) or ()))
        for each in TYPES:
            note = build_note(counts.of(each), warnings)
            removed = await apply_overlay(session, targets.of(each, flat=False), note, removes=each in removable)
            counts.of(each)["removed"] = removed
            report_step(runtime, run, f"applied {each}")
        report.entities = counts.entities
        values: dict[str, Any] = {"report": report_to_json(report), "warnings": warnings}
        if targets.replaces:
            values["removed"] = counts.of(ITEMS)["removed"]
        ended = await go_on(session, run, values)
    report_step(runtime, run, "applied")
    announce_end(runtime, ended)
    await drop_overlay(runtime, run.account_id, run.id)
    return ended is not None


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


def report_step(runtime: Runtime, run: Run, step: str) -> None:
    """Reports a named step; the fault tests stop the process at each of them."""
    runtime.observe(StepReached(run.id, step))
