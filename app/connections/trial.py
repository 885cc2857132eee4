"""Tries a place out: each step that an import or an export would take, and how far it came."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Final

from app.connections.pull import checked_path, is_pattern
from app.transports import connect
from app.transports.failed import TransportFailed, failure
from app.transports.transport import FileInfo, Remote, Terms, Transport, split_pattern, time_limit

PATIENCE_SECONDS: Final = 15.0
TRIAL_SECONDS: Final = 60.0  # for all of it
# Some transports connect with their first request: what came of it tells whether there is a connection.
BEFORE: Final = frozenset({"address", "resolve", "connect"})  # steps that end without one
UNHEARD: Final = frozenset({"too_slow", "no_patterns", "no_writing"})  # reasons that may stand though nobody was asked
SAMPLE_BYTES: Final = 65_536  # that are read of a file


@dataclass(frozen=True, slots=True)
class Step:
    """`found` tells what was seen; `why` is None when the step succeeded."""

    name: str
    found: str = ""
    why: str | None = None


@dataclass(slots=True)
class Trial:
    """The steps so far; the first that fails is the last."""

    steps: list[Step] = field(default_factory=list)
    host_key: str | None = None  # of an SFTP server, as it was shown

    @property
    def ok(self) -> bool:
        return all(step.why is None for step in self.steps)

    def passed(self, name: str, found: str = "") -> None:
        self._connected()
        self.steps.append(Step(name, found))

    def failed(self, failed: TransportFailed) -> None:
        if failed.step not in BEFORE and failed.reason not in UNHEARD:
            self._connected()
        self.steps.append(Step(failed.step, why=failed.detail))

    def _connected(self) -> None:
        if not self.steps:
            self.steps.append(Step("connect", f"host key {self.host_key}" if self.host_key else ""))


@asynccontextmanager
async def tried(remote: Remote, terms: Terms) -> AsyncIterator[Transport]:
    """An open connection for somebody who waits for the answer: once, and not for long. Raises TransportFailed."""
    total = min(terms.total_seconds, TRIAL_SECONDS)
    brief = replace(
        terms, connect_seconds=PATIENCE_SECONDS, idle_seconds=PATIENCE_SECONDS, total_seconds=total, tries=1
    )
    async with time_limit(total, "too_slow"), connect(remote, brief) as transport:
        yield transport


async def try_import(remote: Remote, path: str, terms: Terms) -> Trial:
    """Connects, finds the file (or the files that fit a pattern) and reads its beginning. Nothing is changed."""
    trial = Trial()
    try:
        checked_path(remote.scheme, path)
        async with tried(remote, terms) as transport:
            trial.host_key = getattr(transport, "host_key", None)
            await read_beginning(transport, await found(transport, remote, path, trial), trial)
    except TransportFailed as failed:
        trial.failed(failed)
    return trial


async def found(transport: Transport, remote: Remote, path: str, trial: Trial) -> FileInfo:
    """The file, or the first of those that fit a pattern."""
    if not is_pattern(remote.scheme, path):
        entry = await transport.stat(path)
        trial.passed("find", f"{entry.size} bytes" if entry.size is not None else "")
        return entry
    entries = await transport.list(path)
    if not entries:
        raise failure("no_match")
    trial.passed("find", f"{len(entries)} files")
    return entries[0]


async def read_beginning(transport: Transport, entry: FileInfo, trial: Trial) -> None:
    taken = 0
    async with aclosing(transport.read(entry.path, expected=entry)) as pieces:
        async for piece in pieces:
            taken += len(piece)
            if taken >= SAMPLE_BYTES:
                break
    trial.passed("read", f"{taken} bytes")


async def try_export(remote: Remote, folder: str, terms: Terms) -> Trial:
    """Connects, writes a small file, reads it back and deletes it: nothing is left behind."""
    trial = Trial()
    try:
        path = "".join(split_pattern(f"{folder.rstrip('/')}/{new_name()}" if folder else new_name()))
        async with tried(remote, terms) as transport:
            trial.host_key = getattr(transport, "host_key", None)
            await write_and_read(transport, path, trial)
    except TransportFailed as failed:
        trial.failed(failed)
    return trial


async def write_and_read(transport: Transport, path: str, trial: Trial) -> None:
    content = token_hex(16).encode()
    await transport.put(path, once(content))
    trial.passed("write", f"{len(content)} bytes")
    try:
        back = b"".join([piece async for piece in transport.read(path)])
        if back != content:
            raise TransportFailed("read", "What was read is not what had been written")
        trial.passed("read", f"{len(back)} bytes")
    finally:
        await transport.delete(path)
    trial.passed("delete")


def new_name() -> str:
    return f"sluice-test-{token_hex(8)}.txt"


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data
