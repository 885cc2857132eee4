"""An account's queue: which runs are open, how many more there may be, and which of them will end first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
