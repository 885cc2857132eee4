"""Schedules as a page shows them: when they start next, and what has become of the last start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.dashboard.views.clock.rhythm import SHOWN_RUNS, Upcoming, describe_cron, describe_upcoming
from app.dashboard.views.runs.badge import Tone
from app.dashboard.words import count_of
from app.schedules.cron import list_next
from app.schedules.schedule import Result, Schedule

KINDS: Final = {"import": "Import", "export": "Export", "sync": "Item sync"}
STARTED_WORDS: Final = {"import": "import", "export": "export", "sync": "run"}
TONES: Final[dict[str, Tone]] = {"started": "ok", "waiting": "run", "skipped": "warn", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule in a list, and on the page of what it starts."""

    id: str
    path: str
    name: str
    kind: str
    rhythm: str
    enabled: bool
    upcoming: Sequence[Upcoming]
    last: str
    tone: Tone
    last_at: datetime | None
    run_path: str


def describe_schedule(schedule: Schedule, now: datetime) -> ScheduleLine:
    moments = list_next(schedule.cron, schedule.timezone, after=now, count=SHOWN_RUNS) if schedule.enabled else []
    result = schedule.last_result
    return ScheduleLine(
        id=schedule.id,
        path=f"/app/schedules/{schedule.id}",
        name=schedule.name,
        kind=KINDS[schedule.kind],
        rhythm=describe_cron(schedule.cron, schedule.timezone),
        enabled=schedule.enabled,
        upcoming=describe_upcoming(moments, schedule.timezone),
        last=describe_result(schedule, result),
        tone=TONES[result.status] if result else "idle",
        last_at=result.at if result else None,
        run_path=f"/app/runs/{schedule.last_run_id}" if schedule.last_run_state else "",
    )


def describe_result(schedule: Schedule, result: Result | None) -> str:
    """In a sentence."""
    if result is None:
        return "It has not been due yet."
    if result.status == "started":
        return f"It has started {count_of(result.runs, STARTED_WORDS[schedule.kind])}."
    said = {"waiting": "It waits", "skipped": "It was skipped", "failed": "It could not start"}[result.status]
    return f"{said}: {(result.detail or '').rstrip('.')}."
