"""Where files come from and go to, whatever protocol is spoken."""

import asyncio
import fnmatch
import random
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pydantic import SecretStr

from app.transports.failed import Step, TransportFailed, failure
from app.transports.guard import Guard
from app.transports.options import RULES, TRUST_FIRST

__all__ = [
    "CHUNK", "TRUST_FIRST", "Entry", "Option", "Remote", "Step", "Terms", "Transport", "TransportFailed",
    "age", "chosen", "failure", "paced", "pause", "plain", "split_pattern", "temporary", "within",
]  # fmt: skip

CHUNK = 262_144  # bytes that travel at a time
LONGEST_PATH = 1_024
MOST_MATCHES = 10_000
WILD = frozenset("*?[")

Option = str | bool | SecretStr | Mapping[str, SecretStr]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as the other side describes it; what it does not tell is None."""

    path: str
    size: int | None = None
    modified: datetime | None = None
    tag: str | None = None  # an ETag or the like: equal tags mean equal bytes

    def differs(self, other: "Entry") -> bool:
        """Whether the two are known to be different files, or different states of one."""
        pairs = ((self.size, other.size), (self.modified, other.modified), (self.tag, other.tag))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server and how to get in; `scheme` is a key of RULES, which say what the options of each are."""

    scheme: str
    host: str
    port: int | None = None
    user: str = ""
    password: SecretStr | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scheme not in RULES:
            raise failure("bad_scheme")
        if not RULES[self.scheme].keys() >= self.options.keys():
            raise failure("bad_option")

    def text(self, option: str, default: str = "") -> str:
        """An option that is no secret."""
        value = self.options.get(option, default)
        if not isinstance(value, str):
            raise failure("bad_option")
        return value

    def secret(self, option: str) -> str | None:
        """An option that is one, laid open: hand it to the client and keep it nowhere."""
        value = self.options.get(option)
        if value is not None and not isinstance(value, SecretStr):
            raise failure("bad_option")
        return value.get_secret_value() if value is not None else None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a transfer may cost. `limit` counts bytes of one file; `tries` counts the first one too."""

    limit: int
    tls: ssl.SSLContext
    guard: Guard = field(default_factory=Guard)
    connect_seconds: float = 10
    idle_seconds: float = 30
    total_seconds: float = 600
    tries: int = 5


class Transport(Protocol):
    """An open connection to one place; not for two tasks at once. Every method raises TransportFailed alone.

    Each sees to `connect_seconds` and `idle_seconds` itself; bytes, total time and tries are `fetch`'s business.
    """

    async def list(self, pattern: str) -> list[Entry]:
        """Files (no folders) whose last path segment fits a shell pattern, see `split_pattern` and `chosen`.

        Empty when none does, also when there is no such folder.
        """

    async def stat(self, path: str) -> Entry:
        """The file as it is now; failure("missing") where there is none."""

    def read(self, path: str, *, offset: int = 0, expected: Entry | None = None) -> AsyncGenerator[bytes, None]:
        """Pieces of at most CHUNK bytes from `offset` on; failure("changed") if it is known not to be `expected`.

        An ending that the protocol shows to be too early is failure("cut"), never a silent end. A generator, so that
        a caller who has had enough can close it.
        """

    async def put(self, path: str, data: AsyncIterator[bytes]) -> Entry:
        """Stores a file: under another name (`temporary`) until it is whole, so that no reader sees half of it."""

    async def delete(self, path: str) -> None:
        """Deletes a file; failure("missing") where the protocol can tell that there was none."""


def plain(path: str, longest: int = LONGEST_PATH) -> str:
    """The path as it came, if it is harmless to send: no control characters (they would be commands in FTP)."""
    if not 0 < len(path) <= longest or not path.isprintable():
        raise failure("bad_path")
    return path


def split_pattern(pattern: str) -> tuple[str, str]:
    """Folder (with its last slash, or empty) and name pattern of a path whose last segment may be a shell pattern."""
    folder, slash, name = plain(pattern).rpartition("/")
    if WILD.intersection(folder):
        raise failure("bad_pattern")
    return folder + slash, name


def chosen(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The entries whose last segment fits `name`, oldest first (by `modified`, then path)."""
    found: list[Entry] = []
    for entry in entries:
        if fnmatch.fnmatchcase(entry.path.rpartition("/")[2], name):
            found.append(entry)
        if len(found) > MOST_MATCHES:
            raise failure("too_many")
    return sorted(found, key=age)


def age(entry: Entry) -> tuple[datetime, str]:
    """What files are put in order by, the oldest first."""
    return entry.modified or datetime.min.replace(tzinfo=UTC), entry.path


def temporary(path: str) -> str:
    """A name beside `path` that no pattern of a reader is likely to fit, for a file that is not whole yet."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name[:200]}.{secrets.token_hex(8)}.part"


@asynccontextmanager
async def within(seconds: float, reason: str = "idle") -> AsyncIterator[None]:
    """Fails for `reason` (a key of REASONS) when the block takes longer."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        # A client's own time-out is its caller's to name; only ours is known to mean `reason`.
        if not limit.expired():
            raise
        raise failure(reason) from None


async def paced(pieces: AsyncIterator[bytes], seconds: float, reason: str = "idle") -> AsyncIterator[bytes]:
    """The pieces, none of which may keep us waiting for longer."""
    while True:
        async with within(seconds, reason):
            piece = await anext(pieces, None)
        if piece is None:
            return
        yield piece


def pause(attempt: int) -> float:
    """Seconds to wait before the try after `attempt` failed ones: 0.5, 1, 2 and so on up to 30, spread by chance."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311 - no secret
