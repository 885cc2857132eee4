"""Checks a connection: takes each step that an import or an export would take, and reports how far it got."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Final, Literal

from app.connections.connection import StoredConnection
from app.connections.declaration import invalid
from app.connections.pull import check_path_or_pattern, is_pattern
from app.errors import Complaint
from app.runs.model import AccountId
from app.runtime import Runtime
from app.transports import connect
from app.transports.failed import TransportFailed, failure
from app.transports.transport import FileInfo, Remote, TransferPolicy, Transport, split_pattern, time_limit

STEP_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 60.0  # for all steps
SAMPLE_BYTES: Final = 65_536  # read of a file
# Some transports connect with their first request: the outcome of that tells whether there is a connection.
UNCONNECTED: Final = frozenset({"address", "resolve", "connect"})  # steps that fail without one
LOCAL: Final = frozenset({"too_slow", "no_patterns", "no_writing"})  # reasons that may arise before the server is asked


@dataclass(frozen=True, slots=True)
class CheckStep:
    """`detail` is what was seen; `error` is None if the step succeeded."""

    name: str
    detail: str = ""
    error: str | None = None


@dataclass(slots=True)
class ConnectionCheck:
    """The steps that were taken. The first that fails is the last."""

    steps: list[CheckStep] = field(default_factory=list)
    host_key: str | None = None  # the fingerprint that an SFTP server presented

    @property
    def ok(self) -> bool:
        return all(step.error is None for step in self.steps)

    def add_success(self, name: str, detail: str = "") -> None:
        self._add_connect()
        self.steps.append(CheckStep(name, detail))

    def add_failure(self, failed: TransportFailed) -> None:
        if failed.step not in UNCONNECTED and failed.reason not in LOCAL:
            self._add_connect()
        self.steps.append(CheckStep(failed.step, error=failed.detail))

    def _add_connect(self) -> None:
        if not self.steps:
            self.steps.append(CheckStep("connect", f"host key {self.host_key}" if self.host_key else ""))


async def check_connection(
    runtime: Runtime,
    account_id: AccountId,
    connection: StoredConnection,
    purpose: Literal["import", "export"],
    path: object,
) -> ConnectionCheck:
    """Checks a stored connection. `path` is a file or a pattern to import, or a folder to export to. Raises Refused:
    secrets_locked, invalid (the path)."""
    text = check_text(path, required=purpose == "import")
    return await CHECKS[purpose](connection.remote(), text, runtime.policy_for(account_id))


def check_text(path: object, *, required: bool) -> str:
    if path in (None, "") and required:
        raise invalid([Complaint("path", "`path` is required")])
    if path is not None and not isinstance(path, str):
        raise invalid([Complaint("path", "`path` must be a string")])
    return path or ""


async def check_import(remote: Remote, path: str, policy: TransferPolicy) -> ConnectionCheck:
    """Connects, finds the file (or those that match a pattern) and reads its beginning. Nothing is changed."""
    check = ConnectionCheck()
    try:
        check_path_or_pattern(remote.scheme, path)
        async with connect_briefly(remote, policy) as transport:
            check.host_key = getattr(transport, "host_key", None)
            await read_beginning(transport, await find_file(transport, remote, path, check), check)
    except TransportFailed as failed:
        check.add_failure(failed)
    return check


async def check_export(remote: Remote, folder: str, policy: TransferPolicy) -> ConnectionCheck:
    """Connects, writes a small file, reads it back and deletes it. Nothing is left behind."""
    check = ConnectionCheck()
    try:
        name = f"sluice-test-{token_hex(8)}.txt"
        path = "".join(split_pattern(f"{folder.rstrip('/')}/{name}" if folder else name))
        async with connect_briefly(remote, policy) as transport:
            check.host_key = getattr(transport, "host_key", None)
            await write_and_read(transport, path, check)
    except TransportFailed as failed:
        check.add_failure(failed)
    return check


CHECKS: Final[Mapping[str, Callable[[Remote, str, TransferPolicy], Awaitable[ConnectionCheck]]]] = {
    "import": check_import,
    "export": check_export,
}


@asynccontextmanager
async def connect_briefly(remote: Remote, policy: TransferPolicy) -> AsyncIterator[Transport]:
    """A connection for somebody who is waiting for the answer: one try, and short limits. Raises TransportFailed."""
    total = min(policy.total_seconds, CHECK_SECONDS)
    brief = replace(policy, connect_seconds=STEP_SECONDS, idle_seconds=STEP_SECONDS, total_seconds=total, tries=1)
    async with time_limit(total, "too_slow"), brief.turn_to_call(), connect(remote, brief) as transport:
        yield transport


async def find_file(transport: Transport, remote: Remote, path: str, check: ConnectionCheck) -> FileInfo:
    """The file, or the first of those that match a pattern."""
    if not is_pattern(remote.scheme, path):
        file = await transport.stat(path)
        check.add_success("find", f"{file.size} bytes" if file.size is not None else "")
        return file
    files = await transport.list(path)
    if not files:
        raise failure("no_match")
    check.add_success("find", f"{len(files)} files")
    return files[0]


async def read_beginning(transport: Transport, file: FileInfo, check: ConnectionCheck) -> None:
    size = 0
    async with aclosing(transport.read(file.path)) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size >= SAMPLE_BYTES:
                break
    check.add_success("read", f"{size} bytes")


async def write_and_read(transport: Transport, path: str, check: ConnectionCheck) -> None:
    content = token_hex(16).encode()
    await transport.put(path, stream_once(content))
    check.add_success("write", f"{len(content)} bytes")
    try:
        read = b"".join([piece async for piece in transport.read(path)])
        if read != content:
            raise TransportFailed("read", "The file that was read back differs from what was written")
        check.add_success("read", f"{len(read)} bytes")
    finally:
        await transport.delete(path)
    check.add_success("delete")


async def stream_once(data: bytes) -> AsyncIterator[bytes]:
    yield data
