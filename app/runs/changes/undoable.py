"""Whether a run can be undone, and until when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from app.runs.kinds import KINDS, Kind
from app.runs.model import Run

UNDOABLE: Final = "undoable"  # the member of a run's options: what it changes is noted

NOT_NOTED: Final = "What this {kind} has changed was not noted, so it cannot be undone"
OFF: Final = "This service does not note what runs change (SLUICE_UNDO_DAYS is 0)"
TOO_LATE: Final = "The {kind} ended on {ended}, and what it has changed was kept for {days} days"
NO_RECORDS: Final = "An {kind} changes no records, so it cannot be undone"


def is_noted(run: Run) -> bool:
    """Whether what the run changes is noted."""
    return bool(run.options.get(UNDOABLE))


def scopes_to_undo(run: Run) -> Sequence[str]:
    """What a caller needs who undoes the run: what starts runs of its kind and, if records are removed or brought back
    for it, what removes them."""
    removes = run.created or run.removed or run.replaces
    return (KINDS[run.kind].write_scope, *(["imports:delete"] if removes else []))


def explain_not_undoable(run: Run, days: int) -> str:
    """Why a run that has ended cannot be undone; "" if it can. `days`: how long it can be."""
    facts = {"kind": KINDS[run.kind].word, "days": days, "ended": f"{run.finished_at:%Y-%m-%d}"}
    return find_obstacle(run, days).format(**facts)


def find_obstacle(run: Run, days: int) -> str:
    """The same, as a text whose facts are not filled in yet: polls ask often, and only want to know whether there is
    one."""
    if run.kind is Kind.EXPORT:
        return NO_RECORDS
    if not days:
        return OFF
    if not is_noted(run):
        return NOT_NOTED
    return "" if find_end(run, days) is not None else TOO_LATE


def find_undoable_until(run: Run, days: int) -> datetime | None:
    """Until when a run can be undone; None if it cannot, is undone already, or has changed nothing."""
    if not run.done or run.undone_by is not None or find_obstacle(run, days):
        return None
    changed = run.created or run.updated or run.removed or run.kind is Kind.SYNC
    return find_end(run, days) if changed else None


def find_end(run: Run, days: int) -> datetime | None:
    """None if it is past."""
    until = None if run.finished_at is None else run.finished_at + timedelta(days=days)
    # This machine's clock is good enough: what is noted is kept for longer.
    return until if until is not None and until > datetime.now(UTC) else None
