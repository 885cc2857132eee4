"""The log event of what is started by the clock. What holds for all events is said in `events`."""

from dataclasses import dataclass

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class ScheduleSettled(Event):
    """A schedule was due. `status` is `started`, with so many `runs` of its `kind`; `waiting`, if it is tried again;
    `skipped`, or `failed`. `code` says why."""

    schedule_id: str
    account_id: int
    kind: str
    status: str
    code: str | None
    runs: int
