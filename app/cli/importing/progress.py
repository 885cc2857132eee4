"""Shows the progress of an import on stderr: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_SECONDS: Final = 1.0  # at most one line in so many seconds


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """How far sending or importing has got. `total` and `seconds_left` are None while they are not known."""

    activity: str  # "Sending" or "Importing"
    unit: str  # "bytes" or "rows"
    done: int
    total: int | None
    note: str = ""
    seconds_left: float | None = None


OnProgress = Callable[[ProgressStep], None]


@contextmanager
def show_progress(console: Console, *, quiet: bool = False) -> Iterator[OnProgress]:
    """Yields the function that shows a step; with `quiet` it shows nothing."""
    if quiet:
        yield lambda _: None
    elif console.is_interactive:
        with build_bars(console) as progress:
            yield ProgressBars(progress)
    else:
        yield ProgressLines(console)


def build_bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console)


class ProgressBars:
    """One bar for each activity."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, step: ProgressStep) -> None:
        task = self.tasks.get(step.activity)
        if task is None:
            task = self.tasks[step.activity] = self.progress.add_task(step.activity, total=None, counts="", note="")
        # An empty file is done, although there is no percentage of nothing.
        total = None if step.total is None else max(step.total, 1)
        done = 1 if step.total == 0 else step.done
        self.progress.update(task, total=total, completed=done, counts=format_counts(step), note=escape(step.note))


class ProgressLines:
    """At most one line a second; the first and the last step of each activity are always shown."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.shown: ProgressStep | None = None
        self.shown_at = 0.0

    def __call__(self, step: ProgressStep) -> None:
        if step == self.shown:
            return
        due = time.monotonic() - self.shown_at >= LINE_SECONDS
        if due or step.done == step.total or self.shown is None or self.shown.activity != step.activity:
            self.shown, self.shown_at = step, time.monotonic()
            self.console.print(format_step(step), markup=False, highlight=False, soft_wrap=True)


def format_step(step: ProgressStep) -> str:
    """A step as one line: `Importing: 400 of 1,000 rows (40 %), 3 failed, about 2 s left`."""
    percentage = f" ({100 * step.done // step.total} %)" if step.total else ""
    left = f"about {step.seconds_left:.0f} s left" if step.seconds_left else ""
    return ", ".join(part for part in (f"{step.activity}: {format_counts(step)}{percentage}", step.note, left) if part)


def format_counts(step: ProgressStep) -> str:
    if step.unit == "bytes":
        return decimal(step.done) if step.total is None else f"{decimal(step.done)} of {decimal(step.total)}"
    return f"{step.done:,} rows" if step.total is None else f"{step.done:,} of {step.total:,} rows"
