"""An account's queue: which runs are open, how many more there may be, and which of them will end first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.runs.kinds import KINDS, Kind
from app.runs.model import AccountId, run_from
from app.runs.states import HELD, State
from app.runs.status import Status, read_statuses
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.overview import account_runs


@dataclass(frozen=True, slots=True)
class Queue:
    """The open runs of a kind in the order of their acceptance; `limit` is how many may be open."""

    kind: Kind
    limit: int
    open: Sequence[Status]

    @property
    def running(self) -> list[Status]:
        return [each for each in self.open if each.run.state is State.RUNNING]

    @property
    def waiting(self) -> list[Status]:
        return [each for each in self.open if each.run.state is State.QUEUED]

    @property
    def held(self) -> list[Status]:
        return [each for each in self.open if each.run.state in HELD]

    @property
    def full(self) -> bool:
        return len(self.open) >= self.limit

    @property
    def ends_first(self) -> Status | None:
        """The run that will end first at the speed so far; None if that cannot be told of any."""
        timed = [(each.eta_seconds, place) for place, each in enumerate(self.open) if each.eta_seconds is not None]
        return self.open[min(timed)[1]] if timed else None


@dataclass(frozen=True, slots=True)
class RunPace:
    """How long the account's last runs of a kind that finished have waited before they began, and have lasted then, in
    seconds: the medians. None if there was none."""

    waiting: float | None
    lasting: float | None


SOONEST: Final = 2  # seconds: runs take turns of one
LATEST: Final = 300
UNMEASURED: Final = 10  # in an account that has no speed yet


def first_free_in(queue: Queue, pace: RunPace) -> int:
    """Seconds until the first place is likely to be free, by how fast these runs and the last ones were. Those that
    wait for a decision may keep their places for days."""
    if len(queue.held) == len(queue.open):
        return LATEST
    seconds = [each.eta_seconds for each in queue.open if each.eta_seconds is not None]
    if pace.lasting is not None and len(seconds) + len(queue.held) < len(queue.open):
        seconds.append(round(pace.lasting))  # of those that have no speed of their own yet
    return min(max(min(seconds, default=UNMEASURED), SOONEST), LATEST)


async def measure_pace(session: ReadSession, account_id: AccountId, kind: Kind) -> RunPace:
    measured = await account_runs.measure_pace(session, account_id, kind)
    return RunPace(measured["waiting"], measured["lasting"])


async def read_queues(
    session: ReadSession, runtime: Runtime, account_id: AccountId, kinds: Sequence[Kind]
) -> Mapping[Kind, Queue]:
    """The queues of these kinds."""
    rows = await account_runs.list_open(session, account_id, kinds)
    found = await read_statuses(session, account_id, [run_from(row) for row in rows])
    return {
        kind: Queue(kind, KINDS[kind].queue_limit(runtime), [each for each in found if each.run.kind is kind])
        for kind in kinds
    }
