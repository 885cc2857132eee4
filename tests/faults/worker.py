"""A worker that dies, freezes or waits where a test wants it to: `python -m tests.faults.worker`.

FAULTS is a list such as `merged:2:kill,ledger:1:stop`: at the second `merged` kill yourself, and from there on at the
first `ledger` freeze. The product knows nothing of this: it says its events, and this observer listens.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.exports import deliver
from app.feeds import visit, watch
from app.observe import Observer
from app.observe.events import BatchWritten, Event, LeaseLost, RunPostponed, SliceClaimed, SliceFailed, StepReached
from app.observe.process_events import ProcessStarted
from app.runs import lifecycle
from app.runtime import open_runtime
from app.schedules import start
from app.settings import Settings
from app.storage.database import SERVER_SETTINGS
from workers import housekeeping
from workers.__main__ import main, serve

TRACED = (ProcessStarted, SliceClaimed, LeaseLost, RunPostponed, SliceFailed)


class Saboteur(Observer):
    """Writes every step to a trace that the test reads, and does what the list of faults says when its turn comes."""

    def __init__(self, faults: str, trace: Path, poison: str) -> None:
        super().__init__()
        self.trace = trace.open("a", buffering=1)
        self.let_go = trace.with_suffix(".go")
        self.plan = planned(faults)
        self.next = next(self.plan, None)
        self.seen = 0
        self.poisoned_run, _, row = poison.partition(":")
        self.poisoned_row = int(row or 0)
        self.pace = float(os.environ["FAULTS_PACE"])  # seconds that every batch takes longer
        self.rows = 0  # how far the poisoned run has come

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        step = event.step if isinstance(event, StepReached) else type(event).__name__
        if isinstance(event, (StepReached, *TRACED)):
            self.trace.write(f"{step} {getattr(event, 'run_id', '')}\n")
        self.poison(event)
        if step == "read":
            time.sleep(self.pace)
        if self.next is None or step != self.next[0]:
            return
        self.seen += 1
        if self.seen == self.next[1]:
            action, self.seen, self.next = self.next[2], 0, next(self.plan, None)
            self.act(action)

    def act(self, action: str) -> None:
        self.trace.write(f"FAULT {action}\n")
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            self.wait()

    def wait(self) -> None:
        """Holds the whole process still, as if this step took long, until the test has done its deed."""
        while not self.let_go.exists():
            time.sleep(0.002)
        self.let_go.unlink()

    def poison(self, event: Event) -> None:
        """A file that brings its worker down whenever it is read from a certain row on."""
        if not self.poisoned_run or getattr(event, "run_id", None) != self.poisoned_run:
            return
        if isinstance(event, SliceClaimed):
            self.rows = event.row
        elif isinstance(event, BatchWritten):
            self.rows += event.created + event.updated + event.unchanged + event.skipped + event.failed
        elif isinstance(event, StepReached) and event.step == "merged" and self.rows >= self.poisoned_row:
            self.act("kill")


def planned(faults: str) -> Iterator[tuple[str, int, str]]:
    for fault in filter(None, faults.split(",")):
        step, nth, action = fault.split(":")
        yield step, int(nth), action


async def work(settings: Settings) -> None:
    saboteur = Saboteur(os.environ["FAULTS"], Path(os.environ["FAULTS_TRACE"]), os.environ["FAULTS_POISON"])
    # What is right for a service is long for a test.
    SERVER_SETTINGS["idle_in_transaction_session_timeout"] = os.environ["FAULTS_IDLE_MS"]
    lifecycle.BACKOFF_SECONDS = backoff = float(os.environ["FAULTS_BACKOFF"])
    lifecycle.SourceAway.seconds = 1.0  # a server that was killed is there again by then
    deliver.WAITS = (backoff,) * len(deliver.WAITS)
    housekeeping.SNAPSHOT_SECONDS = 0.3
    housekeeping.SCHEDULES_SECONDS = 0.1
    housekeeping.ERASE_SECONDS = 0.2
    start.LEASE_SECONDS = 1.5
    housekeeping.FEEDS_SECONDS, visit.SETTLE_SECONDS, visit.SHORTEST_WAIT = 0.1, 0.1, backoff
    watch.LEASE_SECONDS = settings.lease_seconds
    async with open_runtime(settings) as runtime:
        await serve(replace(runtime, observe=saboteur))


if __name__ == "__main__":
    sys.exit(main(work))
