"""A feed as an account has declared it, and a file as a feed has seen it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.runs.model import AccountId
from app.transports.afterwards import Afterwards, parse_afterwards
from app.transports.transport import FileInfo


class FeedState(StrEnum):
    """What the last look at the folder has found."""

    NEW = "new"  # nobody has looked yet
    OK = "ok"  # there are files that match
    EMPTY = "empty"  # no file matches
    MISSING = "missing"  # there is no such folder
    FAILING = "failing"  # it could not be listed


class FileState(StrEnum):
    """How far a feed is with a version of a file."""

    SETTLING = "settling"  # it may still grow
    WAITING = "waiting"  # it is complete, and waits for a place in the queue
    IMPORTING = "importing"
    IMPORTED = "imported"  # no row has failed
    FAILED = "failed"  # the import has failed, or some of its rows
    UNKNOWN = "unknown"  # the import was deleted before its end was noted


@dataclass(frozen=True, slots=True)
class FeedDeclaration:
    """What a caller says of a feed. `request` are the members of `POST /connections/{id}/imports` that were sent."""

    name: str
    connection_id: str
    request: Mapping[str, Any]
    every: int  # seconds from one look to the next
    afterwards: str  # app.transports.afterwards.parse_afterwards
    on_failed: str  # the same, when the import or some of its rows have failed

    @property
    def path(self) -> str:
        """The folder with the pattern."""
        return str(self.request["path"])

    def afterwards_of(self, state: FileState) -> Afterwards:
        return parse_afterwards(self.afterwards if state is FileState.IMPORTED else self.on_failed)


@dataclass(frozen=True, slots=True)
class Feed:
    """A stored feed. `round` is the number of its last visit."""

    id: str
    account_id: AccountId
    declared: FeedDeclaration
    enabled: bool
    created_at: datetime
    updated_at: datetime  # when it was declared so
    state: FeedState
    detail: str | None  # why the folder could not be listed
    failures: int  # looks that have failed since the last that succeeded
    looked_at: datetime | None
    next_at: datetime
    start_error: str | None  # why no import could be started
    round: int
    files: Mapping[str, int]  # how many there are, by FileState; empty where nobody has counted


DECLARED = tuple(FeedDeclaration.__dataclass_fields__)
NAMES = tuple(name for name in Feed.__dataclass_fields__ if name not in {"declared", "files"})


def feed_from(row: Mapping[Any, Any]) -> Feed:
    """A feed from its row."""
    declared = {name: row[name] for name in DECLARED} | {"request": msgspec.json.decode(row["request"])}
    known = {name: row[name] for name in NAMES} | {"state": FeedState(row["state"])}
    files = msgspec.json.decode(row.get("files") or "{}")
    return Feed(**known, declared=FeedDeclaration(**declared), files=files)


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A version of a file. `disposal` is what was done about it after its import: app.transports.afterwards."""

    key: str
    connection_id: str
    path: str
    size: int | None
    modified: datetime | None
    tag: str | None
    state: FileState
    seen_at: datetime
    gone_at: datetime | None  # since when it is not in the folder any more
    run_id: str | None
    disposal: str | None
    moved_to: str | None
    tries: int  # to move or delete it that have failed
    error: str | None  # why the last of them has

    @property
    def version(self) -> FileInfo:
        """What a server must say of the file now, if it is still this version. A tag says it all: the time may have
        another precision in a list."""
        modified = None if self.tag else self.modified
        return FileInfo(self.path, self.size, modified, self.tag)


SEEN_NAMES = tuple(WatchedFile.__dataclass_fields__)


def watched_file_from(row: Mapping[Any, Any]) -> WatchedFile:
    return WatchedFile(**{name: row[name] for name in SEEN_NAMES} | {"state": FileState(row["state"])})
