"""Checks a connection: takes each step that an import or an export would take, and reports how far it got."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from app.auth.identity import Identity, ensure_live
from app.connections.connection import StoredConnection, keep_test
from app.connections.declaration import invalid
from app.connections.outcome import CheckStep, Purpose, is_ok, outcome_to_json
from app.connections.pull import check_path_or_pattern, is_pattern, omit_query
from app.errors import Complaint
from app.runs.model import AccountId
from app.runtime import Runtime
from app.transports import connect
from app.transports.failed import TransportFailed, failure
from app.transports.transport import FileInfo, Remote, TransferPolicy, Transport, split_pattern, time_limit

STEP_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 60.0  # for all steps
ANY: Final = "*"  # any file of the folder in which the connection begins
TEST_FILE: Final = "sluice-test.txt"
CONTENT: Final = b"Sluice has tested whether it can write here. This file may be deleted.\n"
SAMPLE_BYTES: Final = 65_536  # read of a file
# Some transports connect with their first request: the outcome of that tells whether there is a connection.
UNCONNECTED: Final = frozenset({"address", "resolve", "connect"})  # steps that fail without one
LOCAL: Final = frozenset({"too_slow", "no_patterns", "no_writing"})  # reasons that may arise before the server is asked


@dataclass(slots=True)
class ConnectionCheck:
    """The steps that were taken. The first that fails is the last."""

    steps: list[CheckStep] = field(default_factory=list)
    host_key: str | None = None  # the fingerprint that an SFTP server presented

    @property
    def ok(self) -> bool:
        return is_ok(self.steps)

    def add_success(self, name: str, detail: str = "") -> None:
        self._add_connect()
        self.steps.append(CheckStep(name, detail))

    def add_failure(self, failed: TransportFailed) -> None:
        if failed.step not in UNCONNECTED and failed.reason not in LOCAL:
            self._add_connect()
        self.steps.append(CheckStep(failed.step, error=failed.detail))

    def add_error(self, name: str, error: str) -> None:
        self._add_connect()
        self.steps.append(CheckStep(name, error=error))

    def add_deletion(self, path: str, failed: TransportFailed | None) -> None:
        """The last step of an export's check. An export deletes nothing, so a login that may not is good enough."""
        if failed is None or failed.reason == "missing":
            self.steps.append(CheckStep("delete"))
            return
        left = f"The test file `{path}` was left there. {failed.detail}"
        allowed = failed.reason == "denied_deleting"
        self.steps.append(CheckStep("delete", left) if allowed else CheckStep("delete", error=left))

    def _add_connect(self) -> None:
        if not self.steps:
            self.steps.append(CheckStep("connect", f"host key {self.host_key}" if self.host_key else ""))


async def check_connection(
    runtime: Runtime,
    account_id: AccountId,
    connection: StoredConnection,
    purpose: Purpose,
    path: object,
    *,
    sender: Identity,
) -> ConnectionCheck:
    """Checks a stored connection, and keeps what was found with it. `path` is a file or a pattern to import (empty: any
    file), or a folder to export to. A host key that is trusted on first use is pinned if all goes well.

    Raises Refused: secrets_locked, invalid (the path), not_authenticated."""
    given, remote = check_text(path), connection.remote()
    check = await CHECKS[purpose](remote, given, runtime.policy_for(account_id))
    kept = outcome_to_json(omit_query(remote.scheme, given), check.steps)
    async with runtime.database.transaction() as session:
        await ensure_live(session, sender)
        pinned = check.host_key if check.ok else None
        await keep_test(session, account_id, connection, {purpose: kept}, host_key=pinned)
    return check


def check_text(path: object) -> str:
    if path is not None and not isinstance(path, str):
        raise invalid([Complaint("path", "`path` must be a string")])
    return path or ""


async def check_import(remote: Remote, path: str, policy: TransferPolicy) -> ConnectionCheck:
    """Connects, finds the file (or those that match a pattern) and reads its beginning. Nothing is changed, and no
    right but to read is needed."""
    check = ConnectionCheck()
    try:
        check_path_or_pattern(remote.scheme, path or ANY)
        async with connect_briefly(remote, policy) as transport:
            check.host_key = getattr(transport, "host_key", None)
            file = await find_file(transport, remote, path or ANY, check, required=path != "")
            await (read_beginning(transport, file, check) if file else read_nothing(transport, check))
    except TransportFailed as failed:
        check.add_failure(failed)
    return check


async def check_export(remote: Remote, folder: str, policy: TransferPolicy) -> ConnectionCheck:
    """Connects, writes a small file and deletes it. No right but to write is needed. Where a file may not be deleted,
    this one is left, and the last step says so: its name is always the same."""
    check = ConnectionCheck()
    path = f"{folder.rstrip('/')}/{TEST_FILE}" if folder else TEST_FILE
    try:
        split_pattern(path)
        async with connect_briefly(remote, policy) as transport:
            check.host_key = getattr(transport, "host_key", None)
            size = await transport.put(path, stream_once(CONTENT))
            check.add_success("write", f"{size} bytes")
            await transport.delete(path)
        check.add_success("delete")
    except TransportFailed as failed:
        await end_export_check(remote, path, policy, check, failed)
    return check


async def end_export_check(
    remote: Remote, path: str, policy: TransferPolicy, check: ConnectionCheck, failed: TransportFailed
) -> None:
    """Reports the failure, and deletes the test file over another connection if it may be there: an answer can be lost
    after the server has done what it was asked."""
    written = any(step.name == "write" for step in check.steps)
    if not written:
        check.add_failure(failed)
    left: TransportFailed | None = failed
    if failed.reason != "denied_deleting" and (written or (failed.transient and failed.step == "write")):
        left = await delete_again(remote, path, policy)
    if written:
        check.add_deletion(path, left)


async def delete_again(remote: Remote, path: str, policy: TransferPolicy) -> TransportFailed | None:
    """Why the file could not be deleted; None if it was."""
    try:
        async with connect_briefly(remote, policy) as transport:
            await transport.delete(path)
    except TransportFailed as failed:
        return failed
    return None


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


async def find_file(
    transport: Transport, remote: Remote, path: str, check: ConnectionCheck, *, required: bool
) -> FileInfo | None:
    """The file, or the first of those that match a pattern; None if there is none and none is `required`."""
    if not is_pattern(remote.scheme, path):
        file = await transport.stat(path)
        check.add_success("find", f"{file.size} bytes" if file.size is not None else "")
        return file
    files = await transport.list(path)
    if not files and required:
        raise failure("no_match")
    check.add_success("find", f"{len(files)} file{'' if len(files) == 1 else 's'}")
    return next(iter(files), None)


async def read_beginning(transport: Transport, file: FileInfo, check: ConnectionCheck) -> None:
    size = 0
    async with aclosing(transport.read(file.path)) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size >= SAMPLE_BYTES:
                break
    check.add_success("read", f"{size} bytes")


async def read_nothing(transport: Transport, check: ConnectionCheck) -> None:
    """Reads a file that does not exist: a login without the right to read gets "not allowed", not "missing"."""
    try:
        await read_beginning(transport, FileInfo(TEST_FILE), check)
    except TransportFailed as failed:
        if failed.reason != "missing":
            raise
        check.add_success("read", "nothing yet: there is no file")


async def stream_once(data: bytes) -> AsyncIterator[bytes]:
    yield data
