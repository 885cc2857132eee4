"""Log events about processes: the parts of the service, the embedded servers, and libraries."""

from dataclasses import dataclass
from typing import ClassVar

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class ProcessStarted(Event):
    """A process is ready for work. `part` is `api` or `worker`; `url` is where an API listens, or where a worker shows
    its metrics."""

    part: str
    pid: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryExhausted(Event):
    """A process has no memory left. It gives its runs back and exits with 1, to be started again by its supervisor."""

    level: ClassVar[str] = "error"
    part: str
    pid: int


@dataclass(frozen=True, slots=True)
class PictureProcessEnded(Event):
    """The process that decodes pictures was killed, or took too long and was ended, while it had a picture of so many
    bytes. It is started again, and the picture is tried once more. `code` is why the picture is refused if that fails,
    too."""

    level: ClassVar[str] = "warning"
    code: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ProcessStopped(Event):
    """A process has shut down cleanly."""

    part: str
    pid: int


@dataclass(frozen=True, slots=True)
class AccountDeletionBegun(Event):
    """The operator deletes an account: its keys and sessions have ended, and so have its open runs. Workers erase what
    it has."""

    account_id: int
    by: str
    cancelled: int


@dataclass(frozen=True, slots=True)
class AccountErased(Event):
    """A piece of what an account had that is being deleted is gone."""

    level: ClassVar[str] = "debug"
    account_id: int
    what: str
    rows: int


@dataclass(frozen=True, slots=True)
class AccountDeleted(Event):
    """Nothing is left of an account that was being deleted: so many records, runs and files are gone."""

    account_id: int
    records: int
    runs: int
    files: int


@dataclass(frozen=True, slots=True)
class SchemaNotUsable(Event):
    """The database was migrated to a schema that this worker cannot use. It does nothing until the schema fits; logged
    once a minute."""

    level: ClassVar[str] = "error"
    reason: str


@dataclass(frozen=True, slots=True)
class NewerRunsLeftAlone(Event):
    """A newer release has accepted imports that this worker does not know how to work off. It leaves them to workers of
    that release; logged once a minute."""

    level: ClassVar[str] = "warning"
    runs: int


class WeakSecretKey(Event):
    """`SLUICE_SECRET_KEY` is so short or so simple that it could be guessed, but API keys depend on it. Change it soon:
    see Secrets and credentials."""

    level: ClassVar[str] = "warning"


@dataclass(frozen=True, slots=True)
class PartExited(Event):
    """Under `sluice up`, a part has exited and is restarted after the wait. `exit_code` is null if it did not start."""

    level: ClassVar[str] = "warning"
    part: str
    exit_code: int | None
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class PartRestarted(Event):
    """Under `sluice up`, a part that had exited runs again."""

    level: ClassVar[str] = "warning"
    part: str
    pid: int | None


@dataclass(frozen=True, slots=True)
class PartStartFailed(Event):
    """Under `sluice up`, a part could not be restarted; another try follows."""

    level: ClassVar[str] = "error"
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartStopping(Event):
    """Under `sluice up`, a part has been asked to stop."""

    part: str


@dataclass(frozen=True, slots=True)
class ServersKeptElsewhere(Event):
    """The files of the embedded servers are kept outside the data folder, which the servers' user cannot reach."""

    level: ClassVar[str] = "warning"
    data: str
    servers: str


@dataclass(frozen=True, slots=True)
class ProgramsKeepRoot(Event):
    """`sluice up` was started by root, and the API and the workers run as root too, because an unprivileged account
    could not do their work: `reason` says why."""

    level: ClassVar[str] = "warning"
    reason: str


@dataclass(frozen=True, slots=True)
class LibraryLogged(Event):
    """A library has logged a warning or an error. Its text is left out, because it may hold cell values; `place` is
    the line of the library, `error` the kind of error."""

    level: ClassVar[str] = "warning"
    logger: str
    place: str
    error: str | None
