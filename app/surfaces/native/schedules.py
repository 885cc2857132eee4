"""Makes the shapes of schedules."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from app.schedules.cron import list_next
from app.schedules.schedule import Schedule as StoredSchedule
from app.surfaces.native.wire.declared.schedules import Schedule, ScheduleResult
from app.web.declared.schedules import TARGETS

SHOWN_RUNS: Final = 3


def render_schedule(schedule: StoredSchedule, *, now: datetime, whole: bool = True) -> Schedule:
    """`whole`: with what it requests. What is not set is left out."""
    optional = {
        **({TARGETS[schedule.kind]: schedule.target} if schedule.kind in TARGETS else {}),
        "request": dict(schedule.request) if whole else None,
        "next_run_at": schedule.next_run_at,
        "last_run_id": schedule.last_run_id,
        "last_run_status": schedule.last_run_state,
        "last_result": render_result(schedule),
    }
    upcoming: Iterable[datetime] = ()
    if schedule.enabled:
        upcoming = list_next(schedule.cron, schedule.timezone, after=now, count=SHOWN_RUNS)
    return Schedule(
        id=schedule.id,
        name=schedule.name,
        kind=schedule.kind,
        cron=schedule.cron,
        timezone=schedule.timezone,
        enabled=schedule.enabled,
        next_runs=list(upcoming),
        failures=schedule.failures,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
        **{name: value for name, value in optional.items() if value is not None},
    )


def render_result(schedule: StoredSchedule) -> ScheduleResult | None:
    result = schedule.last_result
    if result is None:
        return None
    why = {} if result.code is None else {"code": result.code, "detail": result.detail or ""}
    return ScheduleResult(status=result.status, planned_for=result.planned_for, at=result.at, runs=result.runs, **why)
