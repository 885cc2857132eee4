"""What all transports have in common: the remote, its files, the limits of a transfer, and the protocol class."""

import asyncio
import fnmatch
import random
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from pydantic import SecretStr

from app.transports.failed import MOVING, TransportFailed, as_write_failure, bad_option, failure
from app.transports.guard import Guard
from app.transports.options import RULES
from app.transports.slow_work import AccountTurns, SlowWork

CHUNK = 262_144  # bytes read or written at a time
LONGEST_PATH = 1_024
MOST_MATCHES = 10_000
MOST_CALLS = 8  # of one account at a time, for which a request waits
WILD = frozenset("*?[")

T = TypeVar("T")
Begun = Callable[[str], Awaitable[None]]
Option = str | bool | SecretStr | Mapping[str, SecretStr]


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as the server describes it. What the server does not say is None."""

    path: str
    size: int | None = None
    modified: datetime | None = None
    tag: str | None = None  # an ETag or the like: equal tags mean equal bytes
    charset: str = ""  # as a header names it
    coding: str = ""  # a Content-Encoding, which `read` does not undo
    weak: bool = False  # neither tag nor time proves that the bytes are those that were described earlier

    def differs(self, other: "FileInfo") -> bool:
        """Whether the two are known to be different files, or different versions of one."""
        pairs = ((self.size, other.size), (self.modified, other.modified), (self.tag, other.tag))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server and its login. `scheme` is a key of RULES, which list the options of each protocol."""

    scheme: str
    host: str
    port: int | None = None
    user: str = ""
    password: SecretStr | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scheme not in RULES:
            raise failure("bad_scheme")
        unknown = self.options.keys() - RULES[self.scheme].keys()
        if unknown:
            raise bad_option(*sorted(unknown))

    def text(self, option: str, default: str = "") -> str:
        """An option that is not a secret."""
        value = self.options.get(option, default)
        if not isinstance(value, str):
            raise bad_option(option)
        return value

    def secret(self, option: str) -> str | None:
        """A secret option in clear text: pass it to the client and keep it nowhere."""
        value = self.options.get(option)
        if value is not None and not isinstance(value, SecretStr):
            raise bad_option(option)
        return value.get_secret_value() if value is not None else None


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    """What a transfer may cost and whom it may call. `limit` is in bytes per file; `tries` includes the first.
    `account_id` is whose transfer it is: what is scarce is shared out among accounts."""

    limit: int
    tls: ssl.SSLContext
    guard: Guard = field(default_factory=Guard)
    connect_seconds: float = 10
    idle_seconds: float = 30
    total_seconds: float = 600
    tries: int = 5
    opening_seconds: float = 60  # to connect and to find the file
    least_speed: int = 1_000  # bytes a second, on average over `pace_seconds`
    pace_seconds: float = 60
    account_id: int = 0
    slow_work: SlowWork = field(default_factory=SlowWork)
    calls: AccountTurns = field(default_factory=lambda: AccountTurns(MOST_CALLS))

    @asynccontextmanager
    async def turn_to_call(self) -> AsyncIterator[None]:
        """For calls that a request waits for. A server may keep each open for a minute."""
        turn = self.calls.of(self.account_id)
        async with time_limit(self.connect_seconds, "own_calls"):
            await turn.acquire()
        try:
            yield
        finally:
            turn.release()

    async def do_slowly(self, work: Callable[[], T]) -> T:
        """The result of work whose cost the caller or the other server decides, done in the account's turn."""
        return await self.slow_work.do(self.account_id, work)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a web server has answered to a message. `retry_after` is in seconds, as it asks for."""

    status: int
    retry_after: float | None = None


async def forget(_: str) -> None:
    """A `begun` for callers that never come back to a `put` that was killed."""


class Transport(Protocol):
    """An open connection to a remote, for one task at a time. Its methods raise TransportFailed and nothing else.

    They keep to `connect_seconds` and `idle_seconds` themselves; bytes, total time and tries are limited by `fetch`.
    """

    async def list(self, pattern: str, *, strict: bool = False) -> list[FileInfo]:
        """Files (not folders) whose last path segment matches a shell pattern: see `split_pattern`, `select_matching`.

        The list is empty when none does. Raises failure("missing_folder") where the protocol has folders and this one
        does not exist. With `strict` nothing is missing from the list: raises failure("odd_listing") if a part of it is
        not understood, failure("odd_name") if a file that matches cannot be asked for, and failure("missing") for a
        link to nothing.
        """

    async def stat(self, path: str) -> FileInfo:
        """The file as it is now. Raises failure("missing") if there is none."""

    def read(self, path: str, *, offset: int = 0, expected: FileInfo | None = None) -> AsyncGenerator[bytes, None]:
        """Pieces of at most CHUNK bytes from `offset` on. Raises failure("changed") if the file is known not to be
        `expected` any more.

        An end that the protocol shows to be too early is failure("cut"), never a silent end. It is a generator, so that
        a caller can stop early by closing it.
        """

    async def put(self, path: str, data: AsyncIterator[bytes], begun: Begun = forget) -> int:
        """Stores a file and returns its size. Until it is complete it is kept apart, under another name or as an upload
        that is not completed: nobody reads half of it, and what was there before stays until then. A `put` that fails
        or is cancelled deletes its remains. No right but to write (and, where files are renamed, to rename) is needed,
        and folders are not made.

        `begun` is told beforehand what a process that is killed would leave (empty: nothing): pass that to `discard`
        later. It is called again before the file gets its name. What it raises ends the `put`: a process that was
        frozen must not replace what others have put since."""

    async def discard(self, path: str, remains: str) -> None:
        """Deletes what a `put` to this path has left, if it is still there: a `put` that goes on all the same, in a
        process that was frozen, then fails."""

    async def delete(self, path: str) -> None:
        """Deletes a file. Raises failure("missing") if the protocol can tell that there was none."""

    async def move(self, path: str, target: str, expected: FileInfo | None = None) -> bool:
        """Gives a file another path on its server. Folders are not made, and no file is replaced, unless somebody
        writes to `target` at this very moment. A move that is repeated because its answer was lost succeeds; False says
        that nothing was left to do.

        Raises failure: missing; changed (`path` is known not to be `expected` any more); taken (there is a file at
        `target`); no_folder; denied_moving."""


def check_path(path: str, longest: int = LONGEST_PATH) -> str:
    """Returns the path unchanged if it is safe to send. Control characters are refused: in FTP they are commands."""
    if not 0 < len(path) <= longest or not path.isprintable():
        raise failure("bad_path")
    return path


def split_pattern(pattern: str) -> tuple[str, str]:
    """Splits a path into its folder (with the last slash, or empty) and its last segment, which may be a pattern."""
    folder, slash, name = check_path(pattern).rpartition("/")
    if WILD.intersection(folder):
        raise failure("bad_pattern")
    return folder + slash, name


def select_matching(files: Iterable[FileInfo], name: str) -> list[FileInfo]:
    """The files whose last path segment matches `name`, oldest first (by `modified`, then path)."""
    found: list[FileInfo] = []
    for file in files:
        if fnmatch.fnmatchcase(file.path.rpartition("/")[2], name):
            found.append(file)
        if len(found) > MOST_MATCHES:
            raise failure("too_many")
    return sorted(found, key=age_key)


def age_key(file: FileInfo) -> tuple[datetime, str]:
    """The sort key that puts the oldest file first."""
    return file.modified or datetime.min.replace(tzinfo=UTC), file.path


async def find_unmoved(
    transport: Transport, path: str, target: str, expected: FileInfo | None = None
) -> FileInfo | None:
    """The file that has yet to be moved to `target`; None if it is there already. Raises what `move` raises."""
    try:
        file, there = await find_file(transport, path), await find_file(transport, target)
        if file is None and there is None:
            raise failure("missing")
        if file is not None and expected is not None and file.differs(expected):
            raise failure("changed")
    except TransportFailed as failed:
        raise as_write_failure(failed, MOVING | {"missing": "missing", "changed": "changed"}) from None
    # Where moving is copying, the copy may have been made by a try whose answer was lost.
    if file is not None and there is not None and (file.tag is None or file.tag != there.tag):
        raise failure("taken")
    return file


async def find_file(transport: Transport, path: str) -> FileInfo | None:
    """The file as it is now; None if there is none."""
    try:
        return await transport.stat(path)
    except TransportFailed as failed:
        if failed.reason != "missing":
            raise
        return None


def temporary_path(path: str) -> str:
    """A path in the same folder for an incomplete file, with a name that a reader's pattern is unlikely to match, of at
    most 255 bytes."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name.encode()[:200].decode(errors='ignore')}.{secrets.token_hex(8)}.part"


def aside_path(part: str) -> str:
    """Where the old file is kept while `part` takes its place, on a server that cannot rename onto an existing file."""
    return f"{part}.old"


@asynccontextmanager
async def time_limit(seconds: float, reason: str = "idle") -> AsyncIterator[asyncio.Timeout]:
    """Raises failure(`reason`) when the block takes longer. It may reschedule the limit."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield limit
    except TimeoutError:
        # A client's own timeout is for its caller to interpret; only ours is known to mean `reason`.
        if not limit.expired():
            raise
        raise failure(reason) from None


def retry_delay(attempt: int) -> float:
    """Seconds to wait after `attempt` failed tries: 0.5, 1, 2 and so on up to 30, less a random share of up to half."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311  not a secret
