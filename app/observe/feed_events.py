"""The log events of feeds. What holds for all events is said in `events`."""

from dataclasses import dataclass
from typing import ClassVar

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class FolderListed(Event):
    """A feed has looked at its folder and found so many files that match."""

    level: ClassVar[str] = "debug"
    feed_id: str
    account_id: int
    files: int


@dataclass(frozen=True, slots=True)
class FolderNotListed(Event):
    """A feed could not reach or list its folder. `step` is what failed, `failures` how often in a row."""

    level: ClassVar[str] = "warning"
    feed_id: str
    account_id: int
    step: str
    failures: int


@dataclass(frozen=True, slots=True)
class FileStarted(Event):
    """A feed has started the import of a file."""

    feed_id: str
    account_id: int
    run_id: str


@dataclass(frozen=True, slots=True)
class FileNotStarted(Event):
    """A feed cannot start imports, because its connection, type or mapping was deleted or does not fit any more. It
    tries again every minute. `code` is that of the refusal, or internal_error."""

    level: ClassVar[str] = "warning"
    feed_id: str
    account_id: int
    code: str


@dataclass(frozen=True, slots=True)
class FileDisposed(Event):
    """After its import, a file of a feed was moved or deleted; or it was gone, or another version was there.
    `outcome` says which."""

    feed_id: str
    account_id: int
    run_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class FileNotDisposed(Event):
    """A file of a feed could not be moved or deleted after its import, and is tried again. `step` is what failed,
    `tries` how many tries there were."""

    level: ClassVar[str] = "warning"
    feed_id: str
    account_id: int
    run_id: str
    step: str
    tries: int
