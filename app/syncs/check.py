"""Checks an item sync: takes each step that a run would take to find its files, and reads the header of the first."""

import asyncio
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from app.connections.check import CHECK_SECONDS, ConnectionCheck, connect_briefly
from app.connections.connection import load_connection
from app.errors import Refused
from app.imports.sources.head import HeadReader
from app.runs.model import AccountId
from app.runtime import Runtime
from app.syncs.fetching.looking import NO_FOLDER, NO_ITEMS, find_files, wanted_paths
from app.syncs.files import Role
from app.syncs.rows.sync_file import examine_file
from app.syncs.settings import SyncSettings
from app.syncs.stored import StoredSync
from app.transports.afterwards import parse_afterwards
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, Remote, TransferPolicy, Transport, time_limit

ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # as it begins, and an empty one
NO_TARGET: Final = "The folder `{path}` does not exist, so files cannot be moved to it"
SHOWN: Final = 300  # characters of a header
ABSENT: Final = {
    Role.FILTERS: "The folder does not exist. Filters stay as they are",
    Role.IMAGES: "The file does not exist. Pictures stay as they are",
}


class CheckEnded(Exception):
    """A step has failed, and is noted."""


@dataclass(slots=True)
class SyncCheck:
    """A check that is under way."""

    runtime: Runtime
    settings: SyncSettings
    remote: Remote
    policy: TransferPolicy
    report: ConnectionCheck = field(default_factory=ConnectionCheck)
    first: dict[Role, FileInfo] = field(default_factory=dict)  # file of each folder, and the ZIP

    def fail(self, step: str, error: str) -> CheckEnded:
        self.report.add_error(step, error)
        return CheckEnded()


async def check_sync(runtime: Runtime, account_id: AccountId, sync: StoredSync) -> ConnectionCheck:
    """Nothing is changed on either side. Raises Refused: not_found (the connection), secrets_locked."""
    declaration = sync.declaration
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, account_id, declaration.connection_id)
    check = SyncCheck(runtime, declaration.settings, connection.remote(), runtime.policy_for(account_id))
    try:
        async with time_limit(CHECK_SECONDS, "too_slow"):
            await check_places(check)
            await check_contents(check)
    except TransportFailed as failed:
        check.report.add_failure(failed)
    except CheckEnded:
        return check.report
    return check.report


async def check_places(check: SyncCheck) -> None:
    """Raises CheckEnded, TransportFailed."""
    async with connect_briefly(check.remote, check.policy) as transport:
        check.report.host_key = getattr(transport, "host_key", None)
        for role, path in wanted_paths(check.settings):
            await check_place(check, transport, role, path)
        await check_target(check, transport)


async def check_place(check: SyncCheck, transport: Transport, role: Role, path: str) -> None:
    """One folder, or the ZIP. Raises CheckEnded, TransportFailed."""
    files = await find_files(transport, role, path)
    if files is None and role is not Role.ITEMS:
        check.report.add_success(role, ABSENT[role])
        return
    if files is None:
        raise check.fail(role, NO_FOLDER.format(path=path))
    if role is Role.ITEMS and not files and check.settings.mode == "full":
        raise check.fail(role, NO_ITEMS.format(path=path))
    check.report.add_success(role, describe_files(files))
    if files:
        check.first[role] = files[0]


async def check_target(check: SyncCheck, transport: Transport) -> None:
    """The folder that files are moved to. Whether the login may move them there only a run can tell. Raises CheckEnded,
    TransportFailed."""
    folder = parse_afterwards(check.settings.afterwards).folder
    if not folder:
        return
    try:
        await transport.list(f"{folder}/*")
    except TransportFailed as failed:
        if failed.reason != "missing_folder":
            raise
        raise check.fail("afterwards", NO_TARGET.format(path=folder)) from None
    check.report.add_success("afterwards", f"The folder `{folder}` exists")


def describe_files(files: Sequence[FileInfo]) -> str:
    size = sum(file.size or 0 for file in files)
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}, {size:,} bytes"


async def check_contents(check: SyncCheck) -> None:
    """Reads the beginning of the first file of each folder, and of the ZIP. Each over a connection of its own: one that
    is not read to its end may be of no more use. Raises CheckEnded, TransportFailed."""
    for role, file in check.first.items():
        async with connect_briefly(check.remote, check.policy) as transport:
            await (check_zip if role is Role.IMAGES else check_header)(check, transport, role, file)


async def check_header(check: SyncCheck, transport: Transport, role: Role, file: FileInfo) -> None:
    """Reads the header of a CSV file as a run would."""
    try:
        headings = await asyncio.to_thread(read_headings, check, role, await read_head(check, transport, file))
    except Refused as refused:
        raise check.fail(f"{role} header", f"`{file.path}`: {refused.detail}") from None
    shown = headings if len(headings) <= SHOWN else f"{headings[:SHOWN]}…"
    check.report.add_success(f"{role} header", shown)


async def read_head(check: SyncCheck, transport: Transport, file: FileInfo) -> HeadReader:
    """Raises Refused, TransportFailed."""
    limits = check.runtime.settings
    reader = HeadReader(check.settings.encoding, limit=limits.max_file_bytes, ratio=limits.unpack_ratio)
    async with aclosing(transport.read(file.path)) as pieces:
        async for piece in pieces:
            reader.feed(piece)
            if reader.full:
                break
    return reader


def read_headings(check: SyncCheck, role: Role, reader: HeadReader) -> str:
    """Blocking. Raises Refused for a file of another kind, and for a header that lacks what the sync needs."""
    head = reader.finish(None)
    file = io.BytesIO(head.data)
    separator, encoding = check.settings.separator, head.encoding
    examine_file(file, role, separator=separator, encoding=encoding, limits=check.runtime.limits)
    return head.data.splitlines()[0].decode(errors="replace")


async def check_zip(check: SyncCheck, transport: Transport, role: Role, file: FileInfo) -> None:
    beginning = b""
    async with aclosing(transport.read(file.path)) as pieces:
        async for piece in pieces:
            beginning += piece
            if len(beginning) >= len(ZIP[0]):
                break
    if not beginning.startswith(ZIP):
        raise check.fail(f"{role} content", f"`{file.path}` is not a ZIP archive")
    check.report.add_success(f"{role} content", "a ZIP archive")
