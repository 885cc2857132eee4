"""The closed list of everything that can happen. Fields are identifiers and figures, never cell values or secrets."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. The class's name in snake_case is the event's name in the log."""

    level: ClassVar[str] = "info"


@dataclass(frozen=True, slots=True)
class RequestServed(Event):
    level: ClassVar[str] = "debug"
    request_id: str
    method: str
    route: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestDenied(Event):
    """A key was missing, wrong or not enough. `address` is the client's as the server sees it, maybe a proxy's."""

    request_id: str
    method: str
    route: str
    status: int
    address: str


@dataclass(frozen=True, slots=True)
class RequestBroke(Event):
    level: ClassVar[str] = "error"
    request_id: str
    method: str
    route: str
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class RunAccepted(Event):
    run_id: str
    account_id: int
    type: str
    origin: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class RunFetched(Event):
    """The file of a run is here."""

    run_id: str
    account_id: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class RunRefused(Event):
    account_id: int
    code: str


@dataclass(frozen=True, slots=True)
class RunDeleted(Event):
    run_id: str
    account_id: int


@dataclass(frozen=True, slots=True)
class SliceClaimed(Event):
    level: ClassVar[str] = "debug"
    run_id: str
    attempt: int
    row: int


@dataclass(frozen=True, slots=True)
class StepReached(Event):
    """A slice has come to a named step; the fault tests stop the process at each of them."""

    level: ClassVar[str] = "debug"
    run_id: str
    step: str


@dataclass(frozen=True, slots=True)
class BatchWritten(Event):
    run_id: str
    attempt: int
    number: int
    created: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    run_id: str
    account_id: int
    state: str
    code: str | None
    total: int | None
    success: int
    failed: int


@dataclass(frozen=True, slots=True)
class SliceBroke(Event):
    level: ClassVar[str] = "error"
    run_id: str
    attempt: int
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class SliceLost(Event):
    level: ClassVar[str] = "warning"
    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunRescued(Event):
    level: ClassVar[str] = "warning"
    run_id: str
    crashes: int


@dataclass(frozen=True, slots=True)
class MailSent(Event):
    """The mail server has the mail that tells of a run's end."""

    run_id: str


@dataclass(frozen=True, slots=True)
class MailPutOff(Event):
    """It has not, and is asked again later. `reason` is a key of the transports' reasons."""

    level: ClassVar[str] = "warning"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailNotSent(Event):
    """It has not, and will not be asked again: the mail was refused for good, or is `too_old`."""

    level: ClassVar[str] = "error"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnqueueFailed(Event):
    level: ClassVar[str] = "warning"
    run_id: str


@dataclass(frozen=True, slots=True)
class RateLimitLost(Event):
    """Redis does not answer, so requests pass uncounted. ProblemShape once, until it answers again."""

    level: ClassVar[str] = "warning"
    error: str


@dataclass(frozen=True, slots=True)
class HousekeepingBroke(Event):
    level: ClassVar[str] = "warning"
    duty: str
    error: str


@dataclass(frozen=True, slots=True)
class RunsPruned(Event):
    runs: int


@dataclass(frozen=True, slots=True)
class BlobsSwept(Event):
    blobs: int


@dataclass(frozen=True, slots=True)
class ProcessStarted(Event):
    part: str
    pid: int


@dataclass(frozen=True, slots=True)
class ProcessCannotStart(Event):
    level: ClassVar[str] = "error"
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessStopped(Event):
    part: str
    pid: int
