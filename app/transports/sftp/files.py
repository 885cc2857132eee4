"""Files over SFTP: blocks are asked for ahead, so that a long way to the server does not make them slow."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import cast

import asyncssh

from app.transports.failed import Step, TransportFailed, failure, while_writing
from app.transports.sftp.session import opened, told
from app.transports.transport import Entry, Remote, Terms, chosen, plain, split_pattern, temporary, within

BLOCK = 65_536  # bytes asked for with one request, if the server allows it
IN_FLIGHT = 2_097_152  # bytes asked for and not yet here: the channel's window
MOST_REQUESTS = 64  # at a time: a server may say that it gives a single byte for each
MOST_ENTRIES = 50_000  # of one folder
FILES = frozenset({asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN})
LINK = "link"  # a tag: the entry is about a link, not yet about the file that it leads to


@asynccontextmanager
async def connected(remote: Remote, terms: Terms) -> AsyncIterator["Sftp"]:
    """A session at one place, logged in."""
    async with opened(remote, terms) as (client, host_key):
        yield Sftp(client, host_key, remote, terms)


class Sftp:
    """An SFTP server; `host_key` is the fingerprint of the key that it showed, to be stored by who trusts it."""

    def __init__(self, client: asyncssh.SFTPClient, host_key: str, remote: Remote, terms: Terms) -> None:
        self.host_key = host_key
        self._client = client
        self._remote = remote
        self._terms = terms
        self._root = remote.text("root").rstrip("/")

    async def list(self, pattern: str) -> list[Entry]:
        folder, name = split_pattern(pattern)
        try:
            found = [entry async for entry in self._listed(folder)]
        except TransportFailed as failed:
            if failed.reason == "missing":
                return []
            raise
        return chosen([entry async for entry in self._followed(chosen(found, name))], name)

    async def stat(self, path: str) -> Entry:
        where = self._where(path)
        async with self._asking("find"):
            attributes = await self._client.stat(where)
        if attributes.type not in FILES:
            raise failure("missing")
        return entry_of(path, attributes)

    async def read(self, path: str, *, offset: int = 0, expected: Entry | None = None) -> AsyncGenerator[bytes, None]:
        before = await self.stat(path)
        if (expected and before.differs(expected)) or (before.size is not None and offset > before.size):
            raise failure("changed")
        taken = offset
        async with aclosing(self._pieces(self._where(path), offset, before.size)) as pieces:
            async for piece in pieces:
                taken += len(piece)
                yield piece
        after = await self.stat(path)
        if after.differs(before):
            raise failure("changed")
        if after.size is not None and taken != after.size:
            raise failure("cut")

    async def put(self, path: str, data: AsyncIterator[bytes]) -> Entry:
        """Where the server cannot rename a file onto another in one step, the other is deleted first."""
        where = self._where(path)
        part = temporary(where)
        try:
            size = await self._store(part, data)
            async with self._asking("write"):
                await self._check_size(part, size)
                await self._rename(part, where)
        except Exception:
            await self._forget(part)
            raise
        return await self.stat(path)

    async def delete(self, path: str) -> None:
        try:
            async with self._asking("find"):
                await self._client.remove(self._where(path))
        except TransportFailed as failed:
            raise while_writing(failed) from None

    def _where(self, path: str) -> str:
        """The path to send; a relative one starts from `root`, or from the folder that the login leads to."""
        path = plain(path)
        return f"{self._root}/{path}" if self._root and not path.startswith("/") else path

    @asynccontextmanager
    async def _asking(self, step: Step) -> AsyncIterator[None]:
        with told(step):
            async with within(self._terms.idle_seconds, "idle_writing" if step == "write" else "idle"):
                yield

    async def _listed(self, folder: str) -> AsyncGenerator[Entry, None]:
        """The files and links of a folder (which ends with a slash, or is empty) whose names can be asked for."""
        where = self._where(folder) if folder else self._root or "."
        seen = 0
        listing = cast("AsyncGenerator[asyncssh.SFTPName, None]", self._client.scandir(where.encode()))
        async with aclosing(listing) as names:
            while True:
                async with self._asking("find"):
                    found = await anext(names, None)
                if found is None:
                    return
                seen += 1
                if seen > MOST_ENTRIES:
                    raise failure("too_many")
                name, kind = readable(found.filename), found.attrs.type
                if name and (kind in FILES or kind == asyncssh.FILEXFER_TYPE_SYMLINK):
                    yield entry_of(folder + name, found.attrs)

    async def _followed(self, entries: Iterable[Entry]) -> AsyncIterator[Entry]:
        """The same files, where a link stands what it leads to; links to folders or nowhere are left out."""
        for entry in entries:
            if entry.tag != LINK:
                yield entry
                continue
            with suppress(TransportFailed):
                yield await self.stat(entry.path)

    async def _pieces(self, where: str, offset: int, size: int | None) -> AsyncGenerator[bytes, None]:
        """The bytes from `offset` to `size` in order, several requests ahead; the end comes sooner if the file does."""
        async with self._asking("read"):
            file = await self._client.open(where, "rb", encoding=None, block_size=0)
        block = min(BLOCK, self._client.limits.max_read_len)
        coming: deque[asyncio.Task[bytes]] = deque()
        end = sys.maxsize if size is None else size
        starts = iter(range(offset, end, block))
        try:
            while True:
                for start in islice(starts, min(MOST_REQUESTS, IN_FLIGHT // block) - len(coming)):
                    coming.append(asyncio.create_task(read_block(file, start, min(block, end - start))))
                if not coming:
                    return
                async with self._asking("read"):
                    piece = await coming.popleft()
                if not piece:
                    return
                yield piece
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)
            with suppress(TransportFailed), told("read"):
                async with within(1):
                    await file.close()

    async def _store(self, part: str, data: AsyncIterator[bytes]) -> int:
        async with self._asking("write"):
            file = await self._client.open(part, "wb", encoding=None)
        size = 0
        async for piece in data:
            async with self._asking("write"):
                await file.write(piece)
            size += len(piece)
        async with self._asking("write"):
            await file.close()
        return size

    async def _check_size(self, part: str, size: int) -> None:
        if (await self._client.stat(part)).size not in (size, None):
            raise failure("not_written")

    async def _rename(self, part: str, where: str) -> None:
        """In one step where the server can (OpenSSH's extension); the protocol's own rename does not replace files."""
        try:
            await self._client.posix_rename(part, where)
        except asyncssh.SFTPOpUnsupported:
            try:
                await self._client.rename(part, where)
            except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
                await self._client.remove(where)
                await self._client.rename(part, where)

    async def _forget(self, part: str) -> None:
        """Deletes what is left of a failed upload, over a new session: the old one may be gone."""
        with suppress(TransportFailed):
            async with within(self._terms.connect_seconds), connected(self._remote, self._terms) as again:
                await again.delete(part)


async def read_block(file: asyncssh.SFTPClientFile, start: int, size: int) -> bytes:
    """The bytes asked for; fewer only at the end of the file, though a server may give fewer at any time."""
    block = b""
    while len(block) < size:
        more = cast("bytes", await file.read(size - len(block), start + len(block)))
        if not more:
            break
        block += more
    if len(block) > size:
        raise ValueError("more than was asked for")
    return block


def readable(name: str | bytes) -> str:
    """A name in a folder as text; empty if it could not be asked for."""
    with suppress(UnicodeDecodeError, TransportFailed):
        text = plain(name.decode() if isinstance(name, bytes) else name)
        return "" if "/" in text else text
    return ""


def entry_of(path: str, attributes: asyncssh.SFTPAttrs) -> Entry:
    tag = LINK if attributes.type == asyncssh.FILEXFER_TYPE_SYMLINK else None
    try:
        modified = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    except (OverflowError, ValueError, OSError):
        modified = None
    return Entry(path, attributes.size, modified, tag)
