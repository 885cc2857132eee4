"""How far a run is, in the words people ask: percent, seconds left, whether all, some or no rows went in."""

from datetime import datetime
from typing import Literal

from app.runs.model import Run
from app.runs.states import State

Outcome = Literal["complete", "partial", "none"]


def percent(run: Run) -> float:
    """0 to 100, one decimal; 100 only when every row has an outcome."""
    if run.total is None:
        return 0.0
    if run.total == 0:
        return 100.0 if run.done else 0.0
    return int(run.processed * 1000 / run.total) / 10


def eta_seconds(run: Run, now: datetime) -> int | None:
    """Seconds left at the pace so far; None when nothing can be said (not begun, ended)."""
    if run.done or run.started_at is None or not run.processed or run.remaining is None:
        return None
    elapsed = (now - run.started_at).total_seconds()
    return max(1, round(run.remaining * elapsed / run.processed)) if elapsed > 0 else None


def outcome(run: Run) -> Outcome | None:
    """Of an ended run: whether all rows went in, some, or none. A finished run of no rows is complete."""
    if not run.done:
        return None
    if run.state is State.FINISHED and run.failed == 0:
        return "complete"
    return "partial" if run.success else "none"
