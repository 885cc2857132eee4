"""How far a run is: percent, seconds left, what it waits for, and whether all, some or none of its rows went in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.states import HELD, State

Outcome = Literal["complete", "partial", "none"]
TURN, WORKER, DECISION = "turn", "worker", "decision"
# What has to come back before a run goes on: `part` of the Retryable errors.
TROUBLES: Final[Mapping[str, str]] = {
    "storage": "The store of files cannot be reached",
    "database": "The database cannot be reached",
    "queue": "The queue cannot be reached",
    "source": "The server that has the file cannot be reached",
    "destination": "The server that gets the file cannot be reached",
    "secrets": "The stored credentials of the source cannot be decrypted with the keys of this service",
    "machine": "The worker's machine has no memory or disk left",
}
# Workers give each run about a second and go on with the next, so no run waits for the end of another one.
IN_TURN: Final = "Runs take turns of about a second each, so it starts as soon as a worker is free"
TO_DECIDE: Final = "Somebody has to {go_on} or cancel it"


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


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run that does not move waits for. `code` is `turn`, `worker`, `decision` or one of TROUBLES, `detail` is
    whole sentences. `until` is about when the run moves; None if that cannot be told."""

    code: str
    detail: str
    until: datetime | None = None


def explain_wait(run: Run, place: int | None, usual: float | None, now: datetime) -> Wait | None:
    """None for a run that moves or has ended. `place` is that among the queued ones, `usual` how many seconds the
    account's last runs have waited before they began."""
    if run.state in HELD:
        planned = run.state is State.PLANNED and run.kind is Kind.IMPORT
        to_decide = TO_DECIDE.format(go_on="commit" if planned else "resume")
        return Wait(DECISION, f"{run.fail_detail}. {to_decide}" if run.fail_detail else to_decide)
    if not run.done and run.waiting_for is not None:
        return Wait(run.waiting_for, TROUBLES[run.waiting_for], later(run.due_at, now))
    if run.state is not State.QUEUED:
        return None
    begins = None if usual is None or run.started_at else run.created_at + timedelta(seconds=usual)
    told = f"It is number {place} of those that wait. {IN_TURN}" if place else IN_TURN
    return Wait(TURN, told, later(begins, now))


def later(moment: datetime | None, now: datetime) -> datetime | None:
    """None once it has passed: then it may be any moment."""
    return moment if moment is not None and moment > now else None
