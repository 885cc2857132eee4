"""How far a run is: percent, seconds left, and whether all, some or none of its rows went in."""

from datetime import datetime
from typing import Literal

from app.runs.model import Run
from app.runs.states import HELD, State

Outcome = Literal["complete", "partial", "none"]


def percent_done(run: Run) -> float:
    """0 to 100 with one decimal. 100 only when every row has an outcome and the run has ended: it may still have to
    apply what it has read, or to deliver a file."""
    if run.total is None:
        return 0.0
    if run.total == 0:
        return 100.0 if run.done else 0.0
    percent = int(run.processed * 1000 / run.total) / 10
    return percent if run.done else min(percent, 99.9)


def estimate_seconds_left(run: Run, now: datetime) -> int | None:
    """Seconds left at the pace so far; None when the run has not begun, has no outcome yet or one for every row, is
    held, or has ended."""
    if run.done or run.state in HELD or run.started_at is None or not run.processed or not run.remaining:
        return None
    elapsed = (now - run.started_at).total_seconds()
    return max(1, round(run.remaining * elapsed / run.processed)) if elapsed > 0 else None


def outcome_of(run: Run) -> Outcome | None:
    """Whether all, some or none of an ended run's rows went in; None while it is open. A finished run without rows is
    complete, and an export whose file a destination did not get is partial."""
    if not run.done:
        return None
    if run.state is State.FINISHED and run.failed == 0:
        undelivered = any(each.get("status") == "failed" for each in run.destinations or ())
        return "partial" if undelivered else "complete"
    return "partial" if run.success else "none"
