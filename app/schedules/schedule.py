"""A schedule: what is started, when, and what has become of the last start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from app.runs.model import AccountId
from app.storage.json_columns import compile_reader
from app.transports.transport import FileInfo

PREFIX: Final = "sch_"

ScheduleKind = Literal["import", "export", "sync"]
Status = Literal["started", "waiting", "skipped", "failed"]


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has become of a start. A `code` is of REFUSALS, or one of REASONS."""

    status: Status
    planned_for: datetime
    at: datetime
    runs: int = 0
    code: str | None = None
    detail: str | None = None


# Why a start waits, is skipped or fails, beside the refusals.
REASONS: Final[Mapping[str, str]] = {
    "previous_not_ended": "The {kind} {run} that was started before has not ended",
    "no_files": "No file matches `path`",
    "no_room": "{runs:,} imports were started. {left:,} files wait for room in the queue",
    "source_away": "{reason}. It is tried again",
    "source_lost": "{reason}, and {tries} tries have failed",
    "unexpected": "{reason}. It is tried again",
    "unexpected_again": "{reason}, and {tries} tries have failed",
}


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a start is that is not complete: `runs` were started, the last of them for the file `after`."""

    runs: int = 0
    tries: int = 0  # for which a server did not answer
    after: tuple[datetime | None, str] | None = None

    @property
    def after_file(self) -> FileInfo | None:
        return None if self.after is None else FileInfo(self.after[1], modified=self.after[0])


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as an account has stored it. `next_run_at` is None while it is paused, and if it never comes again."""

    id: str
    account_id: AccountId
    name: str
    kind: ScheduleKind
    target: str | None  # the connection of an import, or the item sync
    request: Mapping[str, Any]  # the body of the route of its kind
    cron: str
    timezone: str
    enabled: bool
    next_run_at: datetime | None
    progress: Progress
    last_run_id: str | None
    last_run_state: str | None  # None: the run is gone
    last_result: Result | None
    failures: int
    created_at: datetime
    updated_at: datetime


read_progress, read_result = compile_reader(Progress), compile_reader(Result)


def schedule_from(row: Mapping[Any, Any]) -> Schedule:
    """A schedule from its row."""
    result = row["last_result"]
    return Schedule(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        name=row["name"],
        kind=row["kind"],
        target=row["target"],
        request=row["request"],
        cron=row["cron"],
        timezone=row["timezone"],
        enabled=row["enabled"],
        next_run_at=row["next_run_at"],
        progress=read_progress(row["progress"] or {}),
        last_run_id=row["last_run_id"],
        last_run_state=row.get("last_run_state"),
        last_result=None if result is None else read_result(result),
        failures=row["failures"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
