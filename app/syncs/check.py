"""Checks an item sync: takes each step that a run would take to find its files, and reads the header of the first."""

import asyncio
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from app.connections.check import CheckStep, ConnectionCheck, connect_briefly
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
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, Transport

ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # as it begins, and an empty one
SHOWN: Final = 300  # characters of a header
ABSENT: Final = {
    Role.FILTERS: "The folder does not exist. Filters stay as they are",
    Role.IMAGES: "The file does not exist. Pictures stay as they are",
}


class CheckEnded(Exception):
    """A step has failed, and is noted."""


@dataclass(frozen=True, slots=True)
class SyncCheck:
    """A check that is under way."""

    runtime: Runtime
    settings: SyncSettings
    transport: Transport
    report: ConnectionCheck

    def fail(self, step: str, error: str) -> CheckEnded:
        self.report.steps.append(CheckStep(step, error=error))
        return CheckEnded()


async def check_sync(runtime: Runtime, account_id: AccountId, sync: StoredSync) -> ConnectionCheck:
    """Nothing is changed on either side. Raises Refused: not_found (the connection), secrets_locked."""
    declaration, report = sync.declaration, ConnectionCheck()
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, account_id, declaration.connection_id)
    try:
        async with connect_briefly(connection.remote(), runtime.policy_for(account_id)) as transport:
            report.host_key = getattr(transport, "host_key", None)
            check = SyncCheck(runtime, declaration.settings, transport, report)
            for role, path in wanted_paths(declaration.settings):
                await check_place(check, role, path)
    except TransportFailed as failed:
        report.add_failure(failed)
    except CheckEnded:
        return report
    return report


async def check_place(check: SyncCheck, role: Role, path: str) -> None:
    """One folder, or the ZIP. Raises CheckEnded, TransportFailed."""
    files = await find_files(check.transport, role, path)
    if files is None and role is not Role.ITEMS:
        check.report.add_success(role, ABSENT[role])
        return
    if files is None:
        raise check.fail(role, NO_FOLDER.format(path=path))
    if role is Role.ITEMS and not files and check.settings.mode == "full":
        raise check.fail(role, NO_ITEMS.format(path=path))
    check.report.add_success(role, describe_files(files))
    if files and role is Role.IMAGES:
        await check_zip(check, files[0])
    elif files:
        await check_header(check, role, files[0])


def describe_files(files: Sequence[FileInfo]) -> str:
    size = sum(file.size or 0 for file in files)
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}, {size:,} bytes"


async def check_header(check: SyncCheck, role: Role, file: FileInfo) -> None:
    """Reads the header of a CSV file as a run would. Raises CheckEnded, TransportFailed."""
    try:
        headings = await asyncio.to_thread(read_headings, check, role, await read_head(check, file))
    except Refused as refused:
        raise check.fail(f"{role} header", f"`{file.path}`: {refused.detail}") from None
    shown = headings if len(headings) <= SHOWN else f"{headings[:SHOWN]}…"
    check.report.add_success(f"{role} header", shown)


async def read_head(check: SyncCheck, file: FileInfo) -> HeadReader:
    """Raises Refused, TransportFailed."""
    limits = check.runtime.settings
    reader = HeadReader(check.settings.encoding, limit=limits.max_file_bytes, ratio=limits.unpack_ratio)
    async with aclosing(check.transport.read(file.path)) as pieces:
        async for piece in pieces:
            reader.feed(piece)
            if reader.full:
                break
    return reader


def read_headings(check: SyncCheck, role: Role, reader: HeadReader) -> str:
    """Blocking. Raises Refused for a file of another kind, and for a header that lacks what the sync needs."""
    head = reader.finish(None)
    file = io.BytesIO(head.data)
    examine_file(
        file,
        role,
        separator=check.settings.separator,
        encoding=head.encoding,
        limits=check.runtime.limits,
    )
    return head.data.splitlines()[0].decode(errors="replace")


async def check_zip(check: SyncCheck, file: FileInfo) -> None:
    """Raises CheckEnded, TransportFailed."""
    beginning = b""
    async with aclosing(check.transport.read(file.path)) as pieces:
        async for piece in pieces:
            beginning += piece
            if len(beginning) >= len(ZIP[0]):
                break
    if not beginning.startswith(ZIP):
        raise check.fail(Role.IMAGES, f"`{file.path}` is not a ZIP archive")
