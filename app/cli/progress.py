"""Shows on stderr how far sending and importing have come: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.cli.importing import Heard, Step

BETWEEN_LINES: Final = 1.0  # seconds


@contextmanager
def meter(console: Console, *, quiet: bool = False) -> Iterator[Heard]:
    """Tell the steps to what this yields."""
    if quiet:
        yield lambda _: None
    elif console.is_interactive:
        with bars(console) as progress:
            yield Bar(progress)
    else:
        yield Lines(console)


def bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console)


class Bar:
    """One bar for each thing that is done."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        task = self.tasks.get(step.doing)
        if task is None:
            task = self.tasks[step.doing] = self.progress.add_task(step.doing, total=None, counts="", note="")
        # An empty file is done, although no share of it can be told.
        total = None if step.total is None else max(step.total, 1)
        done = 1 if step.total == 0 else step.done
        self.progress.update(task, total=total, completed=done, counts=counts(step), note=escape(step.note))


class Lines:
    """One line a second at most; the first and the last of each thing are always told."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.told: Step | None = None
        self.at = 0.0

    def __call__(self, step: Step) -> None:
        if step == self.told:
            return
        due = time.monotonic() - self.at >= BETWEEN_LINES
        if due or step.done == step.total or self.told is None or self.told.doing != step.doing:
            self.told, self.at = step, time.monotonic()
            self.console.print(sentence(step), markup=False, highlight=False, soft_wrap=True)


def sentence(step: Step) -> str:
    """The step in one line, e.g. `Importing: 400 of 1,000 rows (40 %), 3 failed, about 2 s left`."""
    share = f" ({100 * step.done // step.total} %)" if step.total else ""
    left = f"about {step.left:.0f} s left" if step.left else ""
    return ", ".join(part for part in (f"{step.doing}: {counts(step)}{share}", step.note, left) if part)


def counts(step: Step) -> str:
    if step.unit == "bytes":
        return f"{decimal(step.done)} of {decimal(step.total or 0)}"
    return f"{step.done:,} rows" if step.total is None else f"{step.done:,} of {step.total:,} rows"
