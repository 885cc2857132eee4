"""The closed list of everything that can happen. Fields are identifiers and figures, never cell values or secrets."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. The class's name in snake_case is the event's name in the log."""

    level: ClassVar[str] = "info"


@dataclass(frozen=True, slots=True)
class RequestServed(Event):
    """An HTTP request was answered."""

    level: ClassVar[str] = "debug"
    request_id: str
    method: str
    route: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestDenied(Event):
    """A key was missing, wrong or lacked a scope. `address` is the client's as the server sees it, maybe a proxy's."""

    request_id: str
    method: str
    route: str
    status: int
    address: str


@dataclass(frozen=True, slots=True)
class RequestBroke(Event):
    """A request ended with status 500. `trace` is where in the code, without values."""

    level: ClassVar[str] = "error"
    request_id: str
    method: str
    route: str
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class RunAccepted(Event):
    """An import was accepted and queued. `rows` is null until a pulled file has been fetched."""

    run_id: str
    account_id: int
    type: str
    origin: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class RunFetched(Event):
    """The file of a pulled import was fetched."""

    run_id: str
    account_id: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class RunRefused(Event):
    """An import was refused. `code` is the refusal's."""

    account_id: int
    code: str


@dataclass(frozen=True, slots=True)
class RunDeleted(Event):
    """A caller deleted an import that had ended."""

    run_id: str
    account_id: int


@dataclass(frozen=True, slots=True)
class SliceClaimed(Event):
    """A worker took up an import, at this row and with this attempt number."""

    level: ClassVar[str] = "debug"
    run_id: str
    attempt: int
    row: int


@dataclass(frozen=True, slots=True)
class StepReached(Event):
    """A worker reached a named step of an import. The fault tests stop the process at each of them."""

    level: ClassVar[str] = "debug"
    run_id: str
    step: str


@dataclass(frozen=True, slots=True)
class BatchWritten(Event):
    """A batch of rows was committed, with its counts by outcome."""

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
    """An import ended. `code` is the failure's, null when it finished."""

    run_id: str
    account_id: int
    state: str
    code: str | None
    total: int | None
    success: int
    failed: int


@dataclass(frozen=True, slots=True)
class SliceBroke(Event):
    """Something unexpected happened while a worker was on an import. It is tried again."""

    level: ClassVar[str] = "error"
    run_id: str
    attempt: int
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class SliceLost(Event):
    """A worker found that another one has taken over its import, and stopped."""

    level: ClassVar[str] = "warning"
    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunRescued(Event):
    """An import was taken over from a worker that went silent. `crashes` counts how often that happened here."""

    level: ClassVar[str] = "warning"
    run_id: str
    crashes: int


@dataclass(frozen=True, slots=True)
class MailSent(Event):
    """The mail server accepted the notice about an import that has ended."""

    run_id: str


@dataclass(frozen=True, slots=True)
class MailPutOff(Event):
    """A notice could not be sent and will be tried again. `reason` is the step that failed."""

    level: ClassVar[str] = "warning"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailNotSent(Event):
    """A notice was given up: the mail server refused it for good, or it is `too_old` (three days)."""

    level: ClassVar[str] = "error"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnqueueFailed(Event):
    """Redis could not be reached to wake a worker. The sweep finds the import within seconds."""

    level: ClassVar[str] = "warning"
    run_id: str


@dataclass(frozen=True, slots=True)
class RateLimitLost(Event):
    """Redis does not answer, so requests pass uncounted. Logged once, until Redis answers again."""

    level: ClassVar[str] = "warning"
    error: str


@dataclass(frozen=True, slots=True)
class HousekeepingBroke(Event):
    """A periodic duty of a worker failed. It is tried again at its next turn."""

    level: ClassVar[str] = "warning"
    duty: str
    error: str


@dataclass(frozen=True, slots=True)
class RunsPruned(Event):
    """Imports past their retention period lost their files, problems and summaries."""

    runs: int


@dataclass(frozen=True, slots=True)
class BlobsSwept(Event):
    """Stored files that belong to no import were deleted."""

    blobs: int


@dataclass(frozen=True, slots=True)
class ProcessStarted(Event):
    """An API or a worker process is up."""

    part: str
    pid: int


@dataclass(frozen=True, slots=True)
class ProcessCannotStart(Event):
    """A process could not start, for the reason given."""

    level: ClassVar[str] = "error"
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessStopped(Event):
    """A process stopped in order."""

    part: str
    pid: int
