"""The state of a run in words and a colour, and what it is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.dashboard.words import count_of, write_percent
from app.runs.kinds import Kind, Step
from app.runs.model import Run
from app.runs.states import State
from app.runs.status import Status

Tone = Literal["ok", "warn", "bad", "run", "idle"]
KIND_WORDS: Final[Mapping[Kind, str]] = {
    Kind.IMPORT: "Import",
    Kind.EXPORT: "Export",
    Kind.SYNC: "Item sync",
    Kind.UNDO: "Undo",
}
STEP_WORDS: Final[Mapping[Step, str]] = {
    Step.FETCH: "Fetching the file",
    Step.WRITE: "Running",
    Step.APPLY: "Applying the changes",
    Step.IMAGES: "Taking in pictures",
    Step.AFTERWARDS: "Tidying up at the server",
    Step.DELIVER: "Delivering the file",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """`moves`: work goes on at this moment."""

    words: str
    tone: Tone
    moves: bool = False


def badge_waiting(status: Status) -> Badge:
    return Badge(f"Waiting, {ordinal(status.queue_position)}" if status.queue_position else "Waiting", "idle")


def badge_finished(status: Status) -> Badge:
    run = status.run
    if run.failed and not run.success:
        return Badge("Finished, no row went in", "bad")
    if run.failed:
        return Badge(f"Finished, {count_of(run.failed, 'row')} failed", "warn")
    return Badge("Finished", "ok") if status.outcome == "complete" else Badge("Finished, not delivered", "warn")


# By the state of the run. The words alone say it, the tone repeats them.
BADGES: Final[Mapping[State, Callable[[Status], Badge]]] = {
    State.QUEUED: badge_waiting,
    State.RUNNING: lambda status: Badge(STEP_WORDS[status.run.step], "run", moves=True),
    State.HALTED: lambda _: Badge("Stopped, needs you", "warn"),
    State.PLANNED: lambda _: Badge("Planned, needs you", "warn"),
    State.FINISHED: badge_finished,
    State.FAILED: lambda _: Badge("Could not be finished", "bad"),
    State.CANCELLED: lambda _: Badge("Cancelled", "idle"),
}
# What filters call the states.
STATE_CHOICES: Final = [
    ("", "All states"),
    (State.QUEUED, "Waiting"),
    (State.RUNNING, "Running"),
    (State.HALTED, "Stopped, needs you"),
    (State.PLANNED, "Planned, needs you"),
    (State.FINISHED, "Finished"),
    (State.FAILED, "Could not be finished"),
    (State.CANCELLED, "Cancelled"),
]


def badge_of(status: Status) -> Badge:
    return BADGES[status.run.state](status)


def short_state(status: Status) -> str:
    """For the title of the page: "62 %", or the words of the badge."""
    counts = status.run.state is State.RUNNING and status.run.total and status.run.step is not Step.FETCH
    return write_percent(status.percent) if counts else badge_of(status).words


def title_of(run: Run) -> str:
    """What people call the run, or else its file, or else what it is."""
    return run.name or run.file_name or f"{KIND_WORDS[run.kind]} of {run.type}"


def ordinal(number: int) -> str:
    """ "1st", "2nd", "11th"."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
    return f"{number:,}{ending}"
