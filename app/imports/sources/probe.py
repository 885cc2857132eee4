"""Tries a place out: each step that an import or an export would take, and how far it came."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Final

from app.transports import connected
from app.transports.failed import TransportFailed
from app.transports.transport import WILD, Entry, Place, Terms, Transport, split_pattern, within

PATIENCE_SECONDS: Final = 15.0
TRIAL_SECONDS: Final = 60.0  # for all of it
WEB: Final = ("http", "https")
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
        self.steps.append(Step(name, found))

    def entered(self, transport: Transport) -> None:
        self.host_key = getattr(transport, "host_key", None)
        self.passed("connect", f"host key {self.host_key}" if self.host_key else "")

    def failed(self, name: str, failure: TransportFailed) -> None:
        self.steps.append(Step(name, why=failure.detail))


@asynccontextmanager
async def tried(place: Place, terms: Terms) -> AsyncIterator[Transport]:
    """An open connection for somebody who waits for the answer: once, and not for long. Raises TransportFailed."""
    total = min(terms.total_seconds, TRIAL_SECONDS)
    brief = replace(
        terms, connect_seconds=PATIENCE_SECONDS, idle_seconds=PATIENCE_SECONDS, total_seconds=total, tries=1
    )
    async with within(total, "too_slow"), connected(place, brief) as transport:
        yield transport


async def try_import(place: Place, path: str, terms: Terms) -> Trial:
    """Connects, finds the file (or the files that fit a pattern) and reads its beginning. Nothing is changed."""
    trial = Trial()
    try:
        async with tried(place, terms) as transport:
            trial.entered(transport)
            entry = await found(transport, place, path, trial)
            if entry is not None:
                await read_beginning(transport, entry, trial)
    except TransportFailed as failure:
        trial.failed(failure.step, failure)
    return trial


def is_pattern(place: Place, path: str) -> bool:
    """Whether a path means all files that fit it. On the web what follows a question mark is a query."""
    return bool(WILD.intersection(path.partition("?")[0] if place.scheme in WEB else path))


async def found(transport: Transport, place: Place, path: str, trial: Trial) -> Entry | None:
    if not is_pattern(place, path):
        entry = await transport.stat(path)
        trial.passed("find", f"{entry.size} bytes" if entry.size is not None else "")
        return entry
    entries = await transport.list(path)
    trial.passed("find", f"{len(entries)} files")
    return entries[0] if entries else None


async def read_beginning(transport: Transport, entry: Entry, trial: Trial) -> None:
    taken = 0
    async with aclosing(transport.read(entry.path, expected=entry)) as pieces:
        async for piece in pieces:
            taken += len(piece)
            if taken >= SAMPLE_BYTES:
                break
    trial.passed("read", f"{taken} bytes")


async def try_export(place: Place, folder: str, terms: Terms) -> Trial:
    """Connects, writes a small file, reads it back and deletes it: nothing is left behind."""
    trial = Trial()
    try:
        path = "".join(split_pattern(f"{folder.rstrip('/')}/{new_name()}" if folder else new_name()))
        async with tried(place, terms) as transport:
            trial.entered(transport)
            await write_and_read(transport, path, trial)
    except TransportFailed as failure:
        trial.failed(failure.step, failure)
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
