"""Keeps the parts of the service running: restarts what exits, after a longer wait each time."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from types import FrameType

from app.embedded import Child, Command, ManagedProcess, StartFailed
from app.errors import MISCONFIGURED
from app.observe.logs import log
from app.observe.process_events import PartExited, PartRestarted, PartStartFailed, PartStopping

FIRST_RESTART_SECONDS = 0.2
MAX_RESTART_SECONDS = 30.0
# A part that has run for so long was healthy: its earlier failures no longer count.
HEALTHY_SECONDS = 30.0
# A part that exits so often before everything was ready will not work by waiting longer.
MAX_EARLY_FAILURES = 5
TICK_SECONDS = 0.1


class StopRequested(Exception):
    """A signal has asked the service to stop."""


class PartMisconfigured(StartFailed):
    """A part has ended because of a setting: starting it again would not help."""

    exit_code = MISCONFIGURED


class Program:
    """A unit that is a plain command."""

    def __init__(self, command: Command) -> None:
        self.name = command.name
        self.child: Child | None = None
        self._command = command

    def spawn(self) -> None:
        self.child = Child(self._command)


@dataclass(slots=True)
class SupervisedPart:
    """A unit and its restarts. Parts of a higher stage are stopped first, those of one stage together."""

    unit: ManagedProcess
    stage: int
    stop_seconds: float  # how long it may take to stop
    started_at: float = 0.0
    failures: int = 0
    restart_at: float | None = None
    misconfigured: bool = False

    def start(self) -> None:
        self.started_at, self.restart_at = time.monotonic(), None
        self.unit.spawn()

    def check(self) -> None:
        if self.restart_at is not None:
            self._restart_if_due()
        elif self.unit.child is None or self.unit.child.exit_code() is not None:
            self._plan_restart(self.unit.child.exit_code() if self.unit.child else None)

    def _plan_restart(self, exit_code: int | None) -> None:
        now = time.monotonic()
        self.misconfigured = isinstance(self.unit, Program) and exit_code == MISCONFIGURED
        self.failures = 1 if now - self.started_at > HEALTHY_SECONDS else self.failures + 1
        wait = min(MAX_RESTART_SECONDS, FIRST_RESTART_SECONDS * 2 ** (self.failures - 1))
        self.restart_at = now + wait
        log(PartExited(self.unit.name, exit_code, wait))

    def _restart_if_due(self) -> None:
        if self.restart_at is None or time.monotonic() < self.restart_at:
            return
        try:
            self.start()
        except StartFailed as error:
            log(PartStartFailed(self.unit.name, str(error)))
            self._plan_restart(None)
        else:
            log(PartRestarted(self.unit.name, self.unit.child.process.pid if self.unit.child else None))


class Supervisor:
    """Starts, checks and stops all parts, in the main thread: the kernel kills the parts when that thread ends."""

    def __init__(self) -> None:
        self._parts: list[SupervisedPart] = []
        self._stopping = False

    def watch(self, unit: ManagedProcess, *, stage: int, stop_seconds: float) -> SupervisedPart:
        part = SupervisedPart(unit, stage, stop_seconds, started_at=time.monotonic())
        self._parts.append(part)
        return part

    def check(self) -> None:
        for part in self._parts:
            part.check()

    def check_first_start(self) -> None:
        """Like `check`, but raises StartFailed for a part that exits again and again, or because of a setting."""
        self.check()
        for part in self._parts:
            if part.misconfigured:
                raise PartMisconfigured(f"{part.unit.name} cannot run with these settings. The reason is above")
            if part.failures >= MAX_EARLY_FAILURES:
                raise StartFailed(
                    f"{part.unit.name} exited {MAX_EARLY_FAILURES} times before it was ready. The reason is above"
                )

    def run(self) -> None:
        """Checks the parts until a signal asks to stop. Raises StopRequested then."""
        while True:
            self.pause(TICK_SECONDS)
            self.check()

    def pause(self, seconds: float) -> None:
        """Sleeps. Raises StopRequested as soon as a signal asks to stop."""
        if self._stopping:
            raise StopRequested
        time.sleep(seconds)
        if self._stopping:
            raise StopRequested

    def stop_all(self) -> None:
        by_stage = sorted(self._parts, key=lambda part: -part.stage)
        for _, parts in groupby(by_stage, key=lambda part: part.stage):
            _stop_together(list(parts))

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM asks to stop, the second one kills all parts."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            for part in self._parts:
                if part.unit.child:
                    part.unit.child.process.kill()
            os._exit(128 + number)
        self._stopping = True


def _stop_together(parts: list[SupervisedPart]) -> None:
    children = [(part, part.unit.child) for part in parts if part.unit.child]
    for part, child in children:
        log(PartStopping(part.unit.name))
        child.ask_to_stop()
    deadline = time.monotonic() + max((part.stop_seconds for part in parts), default=0)
    for _, child in children:
        child.wait_or_kill(max(0.0, deadline - time.monotonic()))
