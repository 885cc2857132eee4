"""The log events of requests, runs, mails and housekeeping; there are also `export_events` and `process_events`.

The list is closed. Fields are identifiers and figures, never cell values or secrets. The first sentence of a docstring
says when the event is logged; the reference in the documentation is made of them.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. The name of its class in snake_case is the name of the event in the log."""

    level: ClassVar[str] = "info"


@dataclass(frozen=True, slots=True)
class RequestServed(Event):
    """A request has been answered, whatever the status. `path` has no query, and `{key}` in place of a record's key; of
    a path that matches no route it has two segments, if they are short words. `bytes` were sent; `key` and `account`
    are the caller's."""

    request_id: str
    method: str
    path: str
    route: str
    status: int
    ms: float
    bytes: int
    key: str | None
    account: str | None


@dataclass(frozen=True, slots=True)
class ProbeServed(RequestServed):
    """A request for health, readiness or metrics has been answered."""

    level: ClassVar[str] = "debug"


@dataclass(frozen=True, slots=True)
class RequestDenied(Event):
    """A request was answered with 401 or 403: its key was missing, wrong, or lacked a scope. `address` is the client's
    as the server sees it, which may be that of a proxy."""

    request_id: str
    method: str
    route: str
    status: int
    address: str


@dataclass(frozen=True, slots=True)
class ConnectionRefused(Event):
    """A connection was closed before a route was reached: what came is not HTTP (400), too long (414, 431) or too slow
    (408), or there are too many connections (503). `address` is the client's as the server sees it."""

    status: int
    address: str


@dataclass(frozen=True, slots=True)
class RequestCrashed(Event):
    """A request ended in an unexpected error and was answered with 500. Please report it as a bug."""

    level: ClassVar[str] = "error"
    request_id: str
    method: str
    route: str
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class ResponseCutOff(Event):
    """An import was deleted while its rows were being downloaded, or its stored file could not be read to the end. The
    connection was broken, so that nobody takes what had arrived for the whole file."""

    request_id: str
    method: str
    route: str


@dataclass(frozen=True, slots=True)
class RunAccepted(Event):
    """An import has been accepted and queued. `rows` is null for a file that is still to be fetched."""

    run_id: str
    account_id: int
    type: str
    origin: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class FileFetched(Event):
    """The file of an import has been fetched from its source and stored."""

    run_id: str
    account_id: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class RunRefused(Event):
    """A request for an import was refused. `code` is the refusal, `reason` its title and the parts of the request that
    are wrong, without names or values from the file."""

    account_id: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunDeleted(Event):
    """A caller deleted an import with its file and its report."""

    run_id: str
    account_id: int


@dataclass(frozen=True, slots=True)
class SliceClaimed(Event):
    """A worker has claimed a run and starts a slice. `attempt` counts the claims of the run, `row` is the next row of
    the file."""

    level: ClassVar[str] = "debug"
    run_id: str
    attempt: int
    row: int


@dataclass(frozen=True, slots=True)
class StepReached(Event):
    """A slice has reached a named step. The fault tests stop the process at each of them."""

    level: ClassVar[str] = "debug"
    run_id: str
    step: str


@dataclass(frozen=True, slots=True)
class BatchWritten(Event):
    """A batch of rows has been committed, with so many rows of each outcome."""

    level: ClassVar[str] = "debug"
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
class RunHeld(Event):
    """A run is halted or planned, and waits until somebody resumes or cancels it. `code` says why it is halted."""

    level: ClassVar[str] = "warning"
    run_id: str
    account_id: int
    state: str
    code: str | None


@dataclass(frozen=True, slots=True)
class RunResumed(Event):
    """Somebody has resumed a run that was halted or planned. It is queued again, with its brakes off."""

    run_id: str
    account_id: int


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """A run has reached its final state. `code` is why, if the state is `failed` or `cancelled`."""

    run_id: str
    account_id: int
    state: str
    code: str | None
    total: int | None
    success: int
    failed: int


@dataclass(frozen=True, slots=True)
class SliceFailed(Event):
    """An unexpected error ended a slice; another attempt follows, unless the run has crashed too often."""

    level: ClassVar[str] = "error"
    run_id: str
    attempt: int
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class RunPostponed(Event):
    """A run waits for something that does not work at the moment. `waiting_for` says what: `storage`, `database`,
    `source`, `queue` or `machine`. It is tried again after a while, and no crash is counted."""

    level: ClassVar[str] = "warning"
    run_id: str
    attempt: int
    waiting_for: str
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class LeaseLost(Event):
    """A worker no longer held the lease on its run, or somebody has cancelled the run, so it wrote nothing more and
    stopped."""

    level: ClassVar[str] = "warning"
    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunRescued(Event):
    """A run was taken from a worker whose lease had expired: the worker died or hangs. `crashes` counts how often in a
    row."""

    level: ClassVar[str] = "warning"
    run_id: str
    crashes: int


@dataclass(frozen=True, slots=True)
class MailSent(Event):
    """The mail server has taken the mail that announces the end of a run."""

    run_id: str


@dataclass(frozen=True, slots=True)
class MailDeferred(Event):
    """The mail server did not take a mail, and another try follows. `reason` says why, e.g. `no_answer` or `login`."""

    level: ClassVar[str] = "warning"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailNotSent(Event):
    """A mail was given up: the server refused it for good, `reason` is `too_old` after three days, or `daily_limit`
    when the account has reached SLUICE_MAILS_PER_DAY."""

    level: ClassVar[str] = "error"
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnqueueFailed(Event):
    """Redis could not be reached to enqueue a run; the next sweep does it."""

    level: ClassVar[str] = "warning"
    run_id: str


@dataclass(frozen=True, slots=True)
class RateLimitUnavailable(Event):
    """Redis does not answer, so requests pass uncounted. Logged once, until it answers again."""

    level: ClassVar[str] = "warning"
    error: str


@dataclass(frozen=True, slots=True)
class HousekeepingFailed(Event):
    """A recurring duty of a worker failed; it is done again at its next turn."""

    level: ClassVar[str] = "warning"
    duty: str
    error: str


@dataclass(frozen=True, slots=True)
class RunsPruned(Event):
    """Runs past their retention have lost their files and reports, and `forgotten` older ones their ids, too."""

    runs: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class OrphanBlobsDeleted(Event):
    """Stored files that no run needs have been deleted."""

    blobs: int
