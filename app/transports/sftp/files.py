"""Files over SFTP: blocks are requested ahead, so that a distant server does not make a transfer slow."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import cast

import asyncssh

from app.transports.failed import DELETING, MOVING, Step, TransportFailed, as_write_failure, failure
from app.transports.sftp.session import open_sftp_session, translate_errors
from app.transports.transport import (
    Begun,
    FileInfo,
    Remote,
    TransferPolicy,
    age_key,
    aside_path,
    check_path,
    find_unmoved,
    forget,
    select_matching,
    split_pattern,
    temporary_path,
    time_limit,
)

BLOCK = 65_536  # bytes per request, if the server allows as many
IN_FLIGHT = 2_097_152  # bytes requested and not yet received: the channel's window
PIECES_AHEAD = 8  # that are on their way to the server before it has confirmed the first of them
MOST_REQUESTS = 64  # at a time: a server may claim that it sends a single byte per request
MOST_ENTRIES = 50_000  # of one folder
FILES = frozenset({asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN})
LOST = "\ufffd"  # begins the name of a file that cannot be asked for
LINK = "link"  # a tag that marks the description of a link, not of the file that it points to


@asynccontextmanager
async def connect(remote: Remote, policy: TransferPolicy) -> AsyncIterator["Sftp"]:
    """A session on one server, logged in."""
    async with open_sftp_session(remote, policy) as (client, host_key):
        yield Sftp(client, host_key, remote, policy)


class Sftp:
    """An SFTP server. `host_key` is the fingerprint of the key that it presented, for callers that pin it."""

    def __init__(self, client: asyncssh.SFTPClient, host_key: str, remote: Remote, policy: TransferPolicy) -> None:
        self.host_key = host_key
        self._client = client
        self._remote = remote
        self._policy = policy
        self._root = remote.text("root").rstrip("/")

    async def list(self, pattern: str, *, strict: bool = False) -> list[FileInfo]:
        folder, name = split_pattern(pattern)
        try:
            listed = [file async for file in self._list_folder(folder, strict=strict)]
        except TransportFailed as failed:
            raise failure("missing_folder") if failed.reason == "missing" else failed from None
        found = await self._policy.do_slowly(partial(select_matching, listed, name))
        if any(LOST in file.path for file in found):
            raise failure("odd_name")
        return sorted([file async for file in self._follow_links(found, strict=strict)], key=age_key)

    async def stat(self, path: str) -> FileInfo:
        where = self._full_path(path)
        async with self._request("find"):
            attributes = await self._client.stat(where)
        if attributes.type not in FILES:
            raise failure("missing")
        return file_from_attributes(path, attributes)

    async def read(
        self, path: str, *, offset: int = 0, expected: FileInfo | None = None
    ) -> AsyncGenerator[bytes, None]:
        before = await self.stat(path)
        if (expected and before.differs(expected)) or (before.size is not None and offset > before.size):
            raise failure("changed")
        position = offset
        async with aclosing(self._read_ahead(self._full_path(path), offset, before.size)) as pieces:
            async for piece in pieces:
                position += len(piece)
                yield piece
        after = await self.stat(path)
        if after.differs(before):
            raise failure("changed")
        if after.size is not None and position != after.size:
            raise failure("cut")

    async def put(self, path: str, data: AsyncIterator[bytes], begun: Begun = forget) -> int:
        part = temporary_path(check_path(path))
        await begun(part)
        try:
            size = await self._store(self._full_path(part), data)
            async with self._request("write"):
                await self._check_size(self._full_path(part), size)
            await begun(part)
            async with self._request("write"):
                await self._rename(self._full_path(part), self._full_path(path))
        except BaseException:
            await asyncio.shield(self._discard_anew(path, part))
            raise
        return size

    async def discard(self, path: str, remains: str) -> None:
        part, where = self._full_path(remains), self._full_path(path)
        aside = aside_path(part)
        async with self._request("write"):
            with suppress(asyncssh.SFTPError):  # this rename replaces no file
                await self._client.rename(aside, where)
            for each in (aside, part):
                with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                    await self._client.remove(each)

    async def delete(self, path: str) -> None:
        try:
            async with self._request("find"):
                await self._client.remove(self._full_path(path))
        except TransportFailed as failed:
            raise as_write_failure(failed, DELETING) from None

    async def move(self, path: str, target: str, expected: FileInfo | None = None) -> bool:
        if await find_unmoved(self, path, target, expected) is None:
            return False
        try:
            async with self._request("find"):
                await self._client.rename(self._full_path(path), self._full_path(target))
        except TransportFailed as failed:
            raise as_write_failure(failed, MOVING) from None
        return True

    def _full_path(self, path: str) -> str:
        """The path to send. A relative one starts from `root`, or from the login's home folder."""
        path = check_path(path)
        return f"{self._root}/{path}" if self._root and not path.startswith("/") else path

    @asynccontextmanager
    async def _request(self, step: Step) -> AsyncIterator[None]:
        with translate_errors(step):
            async with time_limit(self._policy.idle_seconds, "idle_writing" if step == "write" else "idle"):
                yield

    async def _list_folder(self, folder: str, *, strict: bool) -> AsyncGenerator[FileInfo, None]:
        """The files and links of a folder (with a slash at its end, or empty) whose names can be sent back. With
        `strict` the others, too, with LOST for what cannot be sent."""
        where = self._full_path(folder) if folder else self._root or "."
        seen = 0
        listing = cast("AsyncGenerator[asyncssh.SFTPName, None]", self._client.scandir(where.encode()))
        async with aclosing(listing) as names:
            while True:
                async with self._request("find"):
                    found = await anext(names, None)
                if found is None:
                    return
                seen += 1
                if seen > MOST_ENTRIES:
                    raise failure("too_many")
                name, kind = decode_name(found.filename, lost=LOST if strict else ""), found.attrs.type
                if name and (kind in FILES or kind == asyncssh.FILEXFER_TYPE_SYMLINK):
                    yield file_from_attributes(folder + name, found.attrs)

    async def _follow_links(self, files: Iterable[FileInfo], *, strict: bool) -> AsyncIterator[FileInfo]:
        """The same files, with links followed. Unless `strict`, links to folders and broken links are left out."""
        for file in files:
            if file.tag != LINK:
                yield file
                continue
            try:
                yield await self.stat(file.path)
            except TransportFailed:
                if strict:
                    raise

    async def _read_ahead(self, where: str, offset: int, size: int | None) -> AsyncGenerator[bytes, None]:
        """The bytes from `offset` to `size` in order, several requests ahead. It ends early if the file is shorter."""
        async with self._request("read"):
            file = await self._client.open(where, "rb", encoding=None, block_size=0)
        block = min(BLOCK, self._client.limits.max_read_len)
        pending: deque[asyncio.Task[bytes]] = deque()
        end = sys.maxsize if size is None else size
        starts = iter(range(offset, end, block))
        try:
            while True:
                for start in islice(starts, min(MOST_REQUESTS, IN_FLIGHT // block) - len(pending)):
                    pending.append(asyncio.create_task(read_block(file, start, min(block, end - start))))
                if not pending:
                    return
                async with self._request("read"):
                    piece = await pending.popleft()
                if not piece:
                    return
                yield piece
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            with suppress(TransportFailed), translate_errors("read"):
                async with time_limit(1):
                    await file.close()

    async def _store(self, part: str, data: AsyncIterator[bytes]) -> int:
        """Writes several pieces ahead: a server that is 20 ms away would else get 12 MB a second at most."""
        async with self._request("write"):
            file = await self._client.open(part, "wb", encoding=None)
        pending: deque[asyncio.Task[int]] = deque()
        size = 0
        try:
            async for piece in data:
                pending.append(asyncio.create_task(file.write(piece, size)))
                size += len(piece)
                if len(pending) == PIECES_AHEAD:
                    await self._confirm(pending)
            while pending:
                await self._confirm(pending)
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        async with self._request("write"):
            await file.close()
        return size

    async def _confirm(self, pending: deque[asyncio.Task[int]]) -> None:
        """Waits until the server has the oldest piece."""
        async with self._request("write"):
            await pending.popleft()

    async def _check_size(self, part: str, size: int) -> None:
        """A server may hide from a login that only writes what it has written."""
        with suppress(asyncssh.SFTPPermissionDenied):
            if (await self._client.stat(part)).size not in (size, None):
                raise failure("not_written")

    async def _rename(self, part: str, where: str) -> None:
        """Renames in one step if the server can (OpenSSH's extension). The protocol's own rename replaces no file."""
        try:
            await self._client.posix_rename(part, where)
        except asyncssh.SFTPOpUnsupported:
            try:
                await self._client.rename(part, where)
            except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
                await self._exchange(part, where)

    async def _exchange(self, part: str, where: str) -> None:
        """Moves the old file aside, and back unless the new one comes in its place: it is never lost."""
        aside = aside_path(part)
        await self._client.rename(where, aside)
        try:
            await self._client.rename(part, where)
        except asyncssh.SFTPError:
            await self._client.rename(aside, where)
            raise
        with suppress(asyncssh.SFTPError):  # the new one is in its place
            await self._client.remove(aside)

    async def _discard_anew(self, path: str, part: str) -> None:
        """Deletes the remains of a failed upload over a new session: the old one may be gone."""
        with suppress(TransportFailed):
            async with time_limit(self._policy.connect_seconds), connect(self._remote, self._policy) as again:
                await again.discard(path, part)


async def read_block(file: asyncssh.SFTPClientFile, start: int, size: int) -> bytes:
    """The bytes of one block: fewer than `size` only at the end of the file. A server may send fewer at any time."""
    block = b""
    while len(block) < size:
        more = cast("bytes", await file.read(size - len(block), start + len(block)))
        if not more:
            break
        block += more
    if len(block) > size:
        raise ValueError("more bytes than requested")
    return block


def decode_name(name: str | bytes, *, lost: str) -> str:
    """A name in a folder as text. One that could not be sent back to the server is empty, or begins with `lost`."""
    with suppress(UnicodeDecodeError, TransportFailed):
        text = check_path(name.decode() if isinstance(name, bytes) else name)
        if "/" not in text:
            return text
    shown = name.decode(errors="replace") if isinstance(name, bytes) else name
    return lost and lost + shown.rpartition("/")[2]


def file_from_attributes(path: str, attributes: asyncssh.SFTPAttrs) -> FileInfo:
    tag = LINK if attributes.type == asyncssh.FILEXFER_TYPE_SYMLINK else None
    try:
        modified = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    except (OverflowError, ValueError, OSError):
        modified = None
    return FileInfo(path, attributes.size, modified, tag)
