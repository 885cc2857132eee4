"""Keeps parts running: what ends is started again, later each time, until it has lived for a while."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from types import FrameType

import structlog

from app.embedded import CannotStart, Child, Command, Unit

FIRST_WAIT, LONGEST_WAIT = 0.2, 30.0
# A part that lived for so long was well; when it ends after that, it is a new story.
WELL_AFTER = 30.0
# Before everything was ready once, a part that ended so often has a cause that waiting does not remove.
HOPELESS = 5
# How a program of ours says that a setting does not fit; one that is started again would say the same.
MISCONFIGURED = 2
TICK = 0.1


class Stopped(Exception):
    """Somebody asked the whole thing to stop."""


class Program:
    """A part that is simply a command."""

    def __init__(self, command: Command) -> None:
        self.name = command.name
        self.child: Child | None = None
        self._command = command

    def spawn(self) -> None:
        self.child = Child(self._command)


@dataclass(slots=True)
class Part:
    """A unit and its history. Parts of a higher stage stop first; those of one stage stop together."""

    unit: Unit
    stage: int
    patience: float
    began: float = 0.0
    failures: int = 0
    due: float | None = None
    misconfigured: bool = False

    def start(self) -> None:
        self.began, self.due = time.monotonic(), None
        self.unit.spawn()

    def tend(self) -> None:
        if self.due is not None:
            self._start_again_when_due()
        elif self.unit.child is None or self.unit.child.exit_code() is not None:
            self._plan_restart(self.unit.child.exit_code() if self.unit.child else None)

    def _plan_restart(self, exit_code: int | None) -> None:
        now = time.monotonic()
        self.misconfigured = isinstance(self.unit, Program) and exit_code == MISCONFIGURED
        self.failures = 1 if now - self.began > WELL_AFTER else self.failures + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self.failures - 1))
        self.due = now + wait
        structlog.get_logger().warning("part_ended", part=self.unit.name, exit_code=exit_code, wait_seconds=wait)

    def _start_again_when_due(self) -> None:
        if self.due is None or time.monotonic() < self.due:
            return
        try:
            self.start()
        except CannotStart as trouble:
            structlog.get_logger().error("part_cannot_start", part=self.unit.name, reason=str(trouble))
            self._plan_restart(None)
        else:
            structlog.get_logger().warning(
                "part_restarted", part=self.unit.name, pid=self.unit.child and self.unit.child.process.pid
            )


class Supervisor:
    """All parts, and the wish to stop. Everything happens in the main thread, which the parts' lives hang on."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._stopping = False

    def watch(self, unit: Unit, *, stage: int, patience: float) -> Part:
        part = Part(unit, stage, patience, began=time.monotonic())
        self._parts.append(part)
        return part

    def tend(self) -> None:
        for part in self._parts:
            part.tend()

    def tend_first_start(self) -> None:
        """As `tend`, but a part that ends again and again, or for a setting, never worked here. Raises CannotStart."""
        self.tend()
        for part in self._parts:
            if part.misconfigured:
                raise CannotStart(f"{part.unit.name} cannot work with these settings; see above for why")
            if part.failures >= HOPELESS:
                raise CannotStart(f"{part.unit.name} ended {HOPELESS} times before all was ready; see above for why")

    def run(self) -> None:
        """Tend the parts until somebody asks to stop. Raises Stopped then."""
        while True:
            self.pause(TICK)
            self.tend()

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Stopped as soon as somebody asks to stop."""
        if self._stopping:
            raise Stopped
        time.sleep(seconds)
        if self._stopping:
            raise Stopped

    def stop_all(self) -> None:
        by_stage = sorted(self._parts, key=lambda part: -part.stage)
        for _, parts in groupby(by_stage, key=lambda part: part.stage):
            _stop_together(list(parts))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM asks to stop, the second one kills."""
        before = {number: signal.signal(number, self._heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            for part in self._parts:
                if part.unit.child:
                    part.unit.child.process.kill()
            os._exit(128 + number)
        self._stopping = True


def _stop_together(parts: list[Part]) -> None:
    children = [(part, part.unit.child) for part in parts if part.unit.child]
    for part, child in children:
        structlog.get_logger().info("part_stopping", part=part.unit.name)
        child.ask_to_stop()
    deadline = time.monotonic() + max((part.patience for part in parts), default=0)
    for _, child in children:
        child.stopped_within(max(0.0, deadline - time.monotonic()))
