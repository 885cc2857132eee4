"""Shapes of schedules: what an account has started by the clock."""

from typing import Any, Literal

from pydantic import Field

from app.runs.states import State
from app.surfaces.native.wire.shape import Links
from app.web.shapes import UNSET_TIME, Shape, Timestamp


class ScheduleResult(Shape):
    """What has become of the last start."""

    status: Literal["started", "waiting", "skipped", "failed"] = Field(
        description="waiting: it is tried again. skipped: the previous run has not ended, or there was no file"
    )
    planned_for: Timestamp = Field(description="The time by the clock for which it was")
    at: Timestamp = Field(description="When it was tried last")
    runs: int = Field(description="How many runs were started")
    code: str = Field(
        default="",
        description="Why it was not started: a refusal, or previous_not_ended, no_files, no_room, source_away, "
        "source_lost, unexpected or unexpected_again",
    )
    detail: str = Field(default="", description="The same for people")


class Schedule(Shape):
    id: str = Field(examples=["sch_c421b1e62576a02cbec11b04"])
    name: str
    kind: Literal["import", "export", "sync"]
    connection_id: str = Field(default="", description="Present for an import")
    sync_id: str = Field(default="", description="Present for a sync")
    request: dict[str, Any] = Field(default={}, description="What is asked for. Lists leave it out")
    cron: str
    timezone: str
    enabled: bool = Field(description="Whether it is started at all: false while it is paused")
    next_run_at: Timestamp = Field(
        default=UNSET_TIME,
        description="For when it is started next. In the past while a start is tried again. Absent while it is paused",
    )
    next_runs: list[Timestamp] = Field(description="The next three times by the clock. Empty while it is paused")
    last_run_id: str = Field(
        default="", description="The run that it has started last. GET /runs lists all of them by `createdBy`"
    )
    last_run_status: State = Field(default=State.QUEUED, description="Present as long as that run is kept")
    last_result: ScheduleResult = Field(
        default=ScheduleResult(status="started", planned_for=UNSET_TIME, at=UNSET_TIME, runs=0),
        description="Present once it was due",
    )
    failures: int = Field(description="How many starts have failed in a row")
    created_at: Timestamp
    updated_at: Timestamp


class ScheduleList(Shape):
    """Ordered by name."""

    links: Links
    results: list[Schedule]
