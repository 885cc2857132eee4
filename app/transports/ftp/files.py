"""Files on an FTP server: described by MLST and MLSD where the server has them, else by SIZE, MDTM and LIST."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import aioftp

from app.transports.failed import DELETING, MOVING, TransportFailed, as_write_failure, failure
from app.transports.ftp.answers import translate_errors
from app.transports.ftp.facts import file_from_facts, parse_facts, parse_size, parse_time, require_size
from app.transports.ftp.listing import ListedFile, check_understood, parse_list_line
from app.transports.ftp.session import FtpSession
from app.transports.transport import (
    Begun,
    FileInfo,
    Remote,
    TransferPolicy,
    aside_path,
    check_path,
    find_unmoved,
    forget,
    select_matching,
    split_pattern,
    temporary_path,
    time_limit,
)

FILE_EXISTS = re.compile("already|file exists", re.IGNORECASE)  # no answer code means just this
UNSENDABLE = frozenset("/\ufffd")  # the latter was not UTF-8
FOLDERS = frozenset({"dir", "cdir", "pdir"})


@asynccontextmanager
async def connect(remote: Remote, policy: TransferPolicy) -> AsyncIterator["Ftp"]:
    """A session on one server, logged in."""
    session = FtpSession(remote, policy)
    try:
        await session.open()
        yield Ftp(session, remote, policy)
    finally:
        await session.leave()


class Ftp:
    """An FTP server. A transfer that breaks off ends the session."""

    def __init__(self, session: FtpSession, remote: Remote, policy: TransferPolicy) -> None:
        self._session = session
        self._remote = remote
        self._policy = policy
        self._root = remote.text("root").rstrip("/")
        self._has_facts = "MLST" in session.features

    async def list(self, pattern: str, *, strict: bool = False) -> list[FileInfo]:
        folder, name = split_pattern(pattern)
        try:
            listed: Sequence[FileInfo] | None = await self._list_folder(folder, strict=strict)
        except TransportFailed as failed:
            if failed.reason != "missing":
                raise
            listed = None
        if listed is None or (strict and not listed):
            await self._ensure_folder(folder)  # some servers answer alike for an empty one and for none
        found = await self._policy.do_slowly(partial(select_matching, listed or (), name))
        if strict:
            ensure_sendable(found)
        if self._has_facts:
            return found
        return select_matching([file async for file in self._stat_each(found, strict=strict)], name)

    async def stat(self, path: str) -> FileInfo:
        where = self._full_path(path)
        with translate_errors("find"):
            file = await self._stat_by_mlst(path, where) if self._has_facts else None
            file = file or await self._stat_by_size(path, where)
        if file:
            return file
        for file in await self._list_folder(path[: path.rfind("/") + 1]):
            if file.path == path:
                return file
        raise failure("missing")

    async def read(
        self, path: str, *, offset: int = 0, expected: FileInfo | None = None
    ) -> AsyncGenerator[bytes, None]:
        before = await self.stat(path)
        if (expected and before.differs(expected)) or (before.size is not None and offset > before.size):
            raise failure("changed")
        position = offset
        if before.size is None or offset < before.size:
            async with aclosing(self._session.retrieve(self._full_path(path), offset)) as pieces:
                async for piece in pieces:
                    position += len(piece)
                    yield piece
        after = await self.stat(path)
        if after.differs(before):
            raise failure("changed")
        if after.size is not None and position != after.size:
            raise failure("cut" if position < after.size else "wrong_length")

    async def put(self, path: str, data: AsyncIterator[bytes], begun: Begun = forget) -> int:
        part = temporary_path(check_path(path))
        await begun(part)
        try:
            size = await self._session.store(self._full_path(part), data)
            with translate_errors("write"):
                await self._check_size(self._full_path(part), size)
            await begun(part)
            with translate_errors("write"):
                await self._replace(self._full_path(part), self._full_path(path))
        except BaseException:
            await asyncio.shield(self._discard_anew(path, part))
            raise
        return size

    async def discard(self, path: str, remains: str) -> None:
        part, where = self._full_path(remains), self._full_path(path)
        aside = aside_path(part)
        with translate_errors("write"):
            # Only servers that cannot rename onto an existing file leave one aside.
            if await self._try(f"RNFR {aside}", "350") and not await self._try(f"RNTO {where}", "2xx"):
                await self._try(f"DELE {aside}", "2xx")
            await self._try(f"DELE {part}", "2xx")

    async def delete(self, path: str) -> None:
        try:
            with translate_errors("find"):
                await self._session.command(f"DELE {self._full_path(path)}", "2xx")
        except TransportFailed as failed:
            raise as_write_failure(failed, DELETING) from None

    async def move(self, path: str, target: str, expected: FileInfo | None = None) -> bool:
        if await find_unmoved(self, path, target, expected) is None:
            return False
        try:
            with translate_errors("find"):
                await self._session.command(f"RNFR {self._full_path(path)}", "350")
        except TransportFailed as failed:
            raise as_write_failure(failed, MOVING | {"missing": "missing"}) from None
        with translate_errors("write"):
            await self._session.command(f"RNTO {self._full_path(target)}", "2xx")
        return True

    def _full_path(self, path: str) -> str:
        """The path to send. A relative one starts from `root`, or from the login's home folder."""
        path = check_path(path)
        return f"{self._root}/{path}" if self._root and not path.startswith("/") else path

    async def _ensure_folder(self, folder: str) -> None:
        """Raises failure("missing_folder") if the server cannot go there; then it goes back."""
        where = self._full_path(folder) if folder else self._root
        with translate_errors("find"):
            home = await self._session.get_current_directory()
            if where and await self._session.ask(f"CWD {where}", "2xx", unless="5") is None:
                raise failure("missing_folder")
            await self._session.command(f"CWD {home}", "2xx")

    async def _list_folder(self, folder: str, *, strict: bool = False) -> Sequence[FileInfo]:
        """The files of a folder (with a slash at its end, or empty), as the server lists them."""
        where = self._full_path(folder) if folder else self._root
        if self._has_facts:
            lines, parse = await self._session.list_lines(f"MLSD {where}".strip()), parse_mlsd_line
        else:
            option = "./" if where.startswith("-") else ""  # otherwise many servers take the name for an option of ls
            lines, parse = await self._session.list_lines(f"LIST {option}{where}".strip()), parse_list_line
        return await self._policy.do_slowly(partial(find_listed_files, folder, lines, parse, strict=strict))

    async def _stat_by_mlst(self, path: str, where: str) -> FileInfo | None:
        _, lines = await self._session.command(f"MLST {where}", "250")
        facts, _ = parse_facts(lines[1].lstrip())
        kind = facts.get("type", "").lower()
        if kind in FOLDERS:
            raise failure("missing")
        file = file_from_facts(path, facts)
        if kind == "file" and facts.get("size"):
            return require_size(file)
        return None

    async def _stat_by_size(self, path: str, where: str) -> FileInfo | None:
        size = await self._session.ask(f"SIZE {where}", "213")
        if size is None:
            return None
        modified = await self._session.ask(f"MDTM {where}", "213", unless="5")
        return require_size(FileInfo(path, parse_size(size), parse_time(modified or "")))

    async def _stat_each(self, files: Iterable[FileInfo], *, strict: bool) -> AsyncIterator[FileInfo]:
        """The same files as `stat` describes them, unless `strict` without links to folders and files that are gone by
        now."""
        for file in files:
            try:
                with translate_errors("find"):
                    exact = await self._stat_by_size(file.path, self._full_path(file.path)) or file
                yield exact if exact.modified else replace(exact, modified=file.modified)
            except TransportFailed as failed:
                if strict or failed.reason != "missing":
                    raise

    async def _check_size(self, part: str, size: int) -> None:
        """A server may lack the command, or hide from a login that only writes what it has written."""
        stored = await self._session.ask(f"SIZE {part}", "213", unless="5")
        if stored is not None and int(stored) != size:
            raise failure("not_written")

    async def _replace(self, part: str, where: str) -> None:
        """Moves the file to its place."""
        try:
            await self._rename(part, where)
        except aioftp.StatusCodeError as refused:
            if not FILE_EXISTS.search(" ".join(refused.info)):
                raise
            await self._exchange(part, where)

    async def _exchange(self, part: str, where: str) -> None:
        """Moves the old file aside, and back unless the new one comes in its place: it is never lost."""
        aside = aside_path(part)
        await self._rename(where, aside)
        try:
            await self._rename(part, where)
        except aioftp.StatusCodeError:
            await self._rename(aside, where)
            raise
        await self._try(f"DELE {aside}", "2xx")  # the new one is in its place, whether this is allowed or not

    async def _rename(self, old: str, new: str) -> None:
        await self._session.command(f"RNFR {old}", "350")
        await self._session.command(f"RNTO {new}", "2xx")

    async def _try(self, command: str, code: str) -> bool:
        """Whether the server has done it. A refusal is not an error here."""
        return await self._session.ask(command, code, unless="5") is not None

    async def _discard_anew(self, path: str, part: str) -> None:
        """Deletes the remains of a failed upload over a new session: the old one may be gone."""
        with suppress(TransportFailed):
            async with time_limit(self._policy.connect_seconds), connect(self._remote, self._policy) as again:
                await again.discard(path, part)


def find_listed_files(
    folder: str, lines: Iterable[bytes], parse: Callable[[str], ListedFile | None], *, strict: bool
) -> Sequence[FileInfo]:
    """The files and links of a folder's listing, unless `strict` only those whose names can be sent back. Raises
    TransportFailed if no line is understood, or, with `strict`, if any line is not."""
    texts = [line.decode(errors="replace").rstrip("\r\n") for line in lines]
    parsed = [(text, parse(text)) for text in texts]
    understood = [listed for _, listed in parsed if listed is not None]
    if strict or not understood:
        check_understood(text for text, listed in parsed if listed is None)
    return [
        FileInfo(f"{folder}{listed.name}", listed.size, listed.modified)
        for listed in understood
        if listed.kind != "other" and (strict or is_sendable(listed.name))
    ]


def is_sendable(name: str) -> bool:
    with suppress(TransportFailed):
        return UNSENDABLE.isdisjoint(check_path(name))
    return False


def ensure_sendable(files: Iterable[FileInfo]) -> None:
    """Raises failure("odd_name") unless the names of all files can be sent back."""
    if not all(is_sendable(file.path.rpartition("/")[2]) for file in files):
        raise failure("odd_name")


def parse_mlsd_line(line: str) -> ListedFile | None:
    facts, name = parse_facts(line)
    if not name or "type" not in facts:
        return None
    with suppress(ValueError):
        file = file_from_facts(name, facts)
        return ListedFile("file" if facts["type"].lower() == "file" else "other", name, file.size, file.modified)
    return None
