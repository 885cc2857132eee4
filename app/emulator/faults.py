"""What can go wrong in an emulator: a table of faults, and which of them is due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from app.runs.kinds import Kind
from app.runs.model import Run
from app.storage.database import Database
from app.storage.emulator import faults as rows

RequestFault = Literal["too_many_requests", "queue_full", "not_ready", "internal_error", "slow"]
RunFault = Literal["import_fails", "import_waits", "worker_dies"]

# What each request is answered with, in the words of its surface; "" for those that are answered as ever.
REQUEST_FAULTS: Final[Mapping[RequestFault, str]] = {
    "too_many_requests": "The emulator was told that the limit of requests is reached",
    "queue_full": "The emulator was told that the queue is full",
    "not_ready": "The emulator was told to be temporarily unavailable",
    "internal_error": "The emulator was told to fail",
    "slow": "",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Happens from the `nth` time on that its place is come to, `times` times; None: for ever."""

    fault: str
    nth: int = 1
    times: int | None = 1
    seconds: float = 0.0
    method: str | None = None  # of a request
    path: str = "*"
    retry_after: int = 1
    row: int = 1  # of an import: before which it happens
    type: str | None = None
    file_name: str | None = None
    failure: str = "unreadable_file"

    def is_due(self, reached: int) -> bool:
        """At the time with this number."""
        return reached >= self.nth and (self.times is None or reached < self.nth + self.times)

    def is_used_up(self, reached: int) -> bool:
        """After so many times."""
        return self.times is not None and reached >= self.nth + self.times - 1

    def fits_request(self, method: str, path: str) -> bool:
        path = path.rstrip("/") or "/"
        return self.fault in REQUEST_FAULTS and self.method in (None, method) and fnmatchcase(path, self.path)

    def fits_run(self, run: Run) -> bool:
        wanted = self.type in (None, run.type) and self.file_name in (None, run.file_name)
        return run.kind is Kind.IMPORT and self.fault not in REQUEST_FAULTS and wanted


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A fault, and how often its place was come to."""

    number: int
    fault: Fault
    reached: int


NAMES: Final = tuple(each.name for each in fields(Fault))


async def load_faults(database: Database) -> Sequence[StoredFault]:
    async with database.read() as session:
        found = await rows.listed(session)
    return [StoredFault(row["number"], fault_from(row["spec"]), row["reached"]) for row in found]


def fault_from(spec: Mapping[str, Any]) -> Fault:
    return Fault(**{name: value for name, value in spec.items() if name in NAMES})


async def take_due(database: Database, come_to: Collection[StoredFault]) -> Sequence[Fault]:
    """Counts that the places of these faults are come to, and returns those that happen."""
    if not come_to:
        return []
    async with database.transaction() as session:
        reached = await rows.reach(session, [each.number for each in come_to])
    return [each.fault for each in come_to if each.fault.is_due(reached.get(each.number, 0))]
