"""The list of jobs, and the chart of the last days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.dashboard.sentences import tell_limits
from app.dashboard.views.runs.badge import KIND_WORDS, Badge, badge_of, title_of
from app.dashboard.views.runs.run import may_cancel, tell_source
from app.dashboard.visitor import Visitor
from app.dashboard.words import write_duration, write_percent
from app.runs.model import Run
from app.runs.overview.days import Day
from app.runs.overview.makers import Maker
from app.runs.states import State
from app.runs.status import Status

CHART_WIDTH, CHART_HEIGHT = 600, 80


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the list."""

    run: Run
    title: str
    kind: str
    badge: Badge
    source: str
    maker: Maker | None
    progress: str
    reason: str  # why it could not be finished, or is held; "" for none
    may_cancel: bool


def list_jobs(found: Sequence[Status], makers: Mapping[str, Maker], visitor: Visitor) -> list[Job]:
    return [
        job_from(each, makers.get(each.run.created_by or ""), may_cancel=may_cancel(each.run, visitor))
        for each in found
    ]


def job_from(status: Status, maker: Maker | None, *, may_cancel: bool = False) -> Job:
    run = status.run
    return Job(
        run=run,
        title=title_of(run),
        kind=KIND_WORDS[run.kind],
        badge=badge_of(status),
        source=tell_source(run) if run.source is not None else "",
        maker=maker,
        progress=tell_progress(status),
        reason=tell_limits(run.fail_detail or "") if run.state in (State.FAILED, State.HALTED) else "",
        may_cancel=may_cancel,
    )


def tell_progress(status: Status) -> str:
    """ "62 %, 40 seconds left"; "" for what does not move."""
    if status.run.state is not State.RUNNING or not status.run.total:
        return ""
    left = f", {write_duration(status.eta_seconds)} left" if status.eta_seconds else ""
    return f"{write_percent(status.percent)}{left}"


@dataclass(frozen=True, slots=True)
class Chart:
    """Runs of the last days as lines of an SVG, whose points are `x,y` from the top left."""

    days: Sequence[Day]
    most: int
    runs: str
    failed: str

    @property
    def total(self) -> int:
        return sum(day.runs for day in self.days)


def chart_of(days: Sequence[Day]) -> Chart:
    most = max((day.runs for day in days), default=0)
    return Chart(days, most, draw([day.runs for day in days], most), draw([day.failed for day in days], most))


def draw(numbers: Sequence[int], most: int) -> str:
    step = CHART_WIDTH / max(1, len(numbers) - 1)
    heights = (CHART_HEIGHT - 2 - (CHART_HEIGHT - 4) * number / max(1, most) for number in numbers)
    return " ".join(f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
