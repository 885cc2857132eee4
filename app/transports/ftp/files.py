"""Files on an FTP server: the standard's facts about a file where the server knows them, the old commands where not."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import aioftp

from app.transports.failed import TransportFailed, failure, while_writing
from app.transports.ftp.answers import told
from app.transports.ftp.session import Session
from app.transports.transport import Entry, Remote, Terms, chosen, plain, split_pattern, temporary, within

IN_THE_WAY = re.compile("already|file exists", re.IGNORECASE)  # no code of its own says so
FOLDERS = frozenset({"dir", "cdir", "pdir"})


@asynccontextmanager
async def connected(remote: Remote, terms: Terms) -> AsyncIterator["Ftp"]:
    """A session at one place, logged in."""
    session = Session(remote, terms)
    try:
        await session.open()
        yield Ftp(session, remote, terms)
    finally:
        await session.leave()


class Ftp:
    """An FTP server; a transfer that breaks off ends the session."""

    def __init__(self, session: Session, remote: Remote, terms: Terms) -> None:
        self._session = session
        self._remote = remote
        self._terms = terms
        self._root = remote.text("root").rstrip("/")
        self._has_facts = "MLST" in session.features

    async def list(self, pattern: str) -> list[Entry]:
        folder, name = split_pattern(pattern)
        try:
            found = chosen(await self._listed(folder), name)
        except TransportFailed as failed:
            if failed.reason == "missing":
                return []
            raise
        return found if self._has_facts else chosen([entry async for entry in self._measured(found)], name)

    async def stat(self, path: str) -> Entry:
        where = self._where(path)
        with told("find"):
            entry = (await self._by_facts(path, where) if self._has_facts else None) or await self._by_size(path, where)
        if entry:
            return entry
        for entry in await self._listed(path[: path.rfind("/") + 1]):
            if entry.path == path:
                return entry
        raise failure("missing")

    async def read(self, path: str, *, offset: int = 0, expected: Entry | None = None) -> AsyncGenerator[bytes, None]:
        before = await self.stat(path)
        if (expected and before.differs(expected)) or (before.size is not None and offset > before.size):
            raise failure("changed")
        taken = offset
        if before.size is None or offset < before.size:
            async with aclosing(self._session.retrieved(self._where(path), offset)) as pieces:
                async for piece in pieces:
                    taken += len(piece)
                    yield piece
        after = await self.stat(path)
        if after.differs(before):
            raise failure("changed")
        if after.size is not None and taken != after.size:
            raise failure("cut" if taken < after.size else "wrong_length")

    async def put(self, path: str, data: AsyncIterator[bytes]) -> Entry:
        """Where the server will not rename a file onto another, the other is deleted first."""
        where = self._where(path)
        part = temporary(where)
        try:
            size = await self._session.store(part, data)
            with told("write"):
                await self._check_size(part, size)
                await self._rename(part, where)
        except Exception:
            await self._forget(part)
            raise
        return await self.stat(path)

    async def delete(self, path: str) -> None:
        try:
            with told("find"):
                await self._session.command(f"DELE {self._where(path)}", "2xx")
        except TransportFailed as failed:
            raise while_writing(failed) from None

    def _where(self, path: str) -> str:
        """The path to send; a relative one starts from `root`, or from the folder that the login leads to."""
        path = plain(path)
        return f"{self._root}/{path}" if self._root and not path.startswith("/") else path

    async def _listed(self, folder: str) -> Sequence[Entry]:
        """The files of a folder (which ends with a slash, or is empty), as the server lists them."""
        where = self._where(folder) if folder else self._root
        if self._has_facts:
            lines, read = await self._session.lines(f"MLSD {where}".strip()), self._read_facts
        else:
            option = "./" if where.startswith("-") else ""  # without it, many servers would take it for one of ls
            lines, read = await self._session.lines(f"LIST {option}{where}".strip()), self._read_words
        return [Entry(f"{folder}{entry.path}", entry.size, entry.modified) for line in lines for entry in read(line)]

    @staticmethod
    def _read_facts(line: bytes) -> Iterator[Entry]:
        """The file that a line of MLSD is about, if it is one and its name can be asked for."""
        with suppress(ValueError, TransportFailed):
            facts, name = facts_of(line.decode().rstrip("\r\n"))
            if facts.get("type", "").lower() == "file" and "/" not in plain(name):
                yield entry_of(name, facts)

    def _read_words(self, line: bytes) -> Iterator[Entry]:
        """The same of a line of LIST, which has no standard; its time is the server's own, to the minute or day."""
        with suppress(ValueError, TransportFailed):
            name, info = self._session.parse_list_line(line)
            if info["type"] == "file" and "/" not in plain(str(name)):
                size = None if "link_dst" in info else int(info["size"])  # a link's own
                yield Entry(str(name), size, moment(info["modify"]))

    async def _by_facts(self, path: str, where: str) -> Entry | None:
        _, lines = await self._session.command(f"MLST {where}", "250")
        facts, _ = facts_of(lines[1].lstrip())
        kind = facts.get("type", "").lower()
        if kind in FOLDERS:
            raise failure("missing")
        entry = entry_of(path, facts)
        return entry if kind == "file" and entry.size is not None else None

    async def _by_size(self, path: str, where: str) -> Entry | None:
        size = await self._session.ask(f"SIZE {where}", "213")
        if size is None:
            return None
        modified = await self._session.ask(f"MDTM {where}", "213", unless="5")
        return Entry(path, int(size), moment(modified or ""))

    async def _measured(self, entries: Iterable[Entry]) -> AsyncIterator[Entry]:
        """The same files as `stat` sees them; links to folders and what is gone by now are left out."""
        for entry in entries:
            try:
                with told("find"):
                    exact = await self._by_size(entry.path, self._where(entry.path)) or entry
                yield exact if exact.modified else replace(exact, modified=entry.modified)
            except TransportFailed as failed:
                if failed.reason != "missing":
                    raise

    async def _check_size(self, part: str, size: int) -> None:
        stored = await self._session.ask(f"SIZE {part}", "213")
        if stored is not None and int(stored) != size:
            raise failure("not_written")

    async def _rename(self, part: str, where: str) -> None:
        await self._session.command(f"RNFR {part}", "350")
        try:
            await self._session.command(f"RNTO {where}", "2xx")
        except aioftp.StatusCodeError as refused:
            if not IN_THE_WAY.search(" ".join(refused.info)):
                raise
            await self._session.command(f"DELE {where}", "2xx")
            await self._session.command(f"RNFR {part}", "350")
            await self._session.command(f"RNTO {where}", "2xx")

    async def _forget(self, part: str) -> None:
        """Deletes what is left of a failed upload, over a new session: the old one may be gone."""
        with suppress(TransportFailed):
            async with within(self._terms.connect_seconds), connected(self._remote, self._terms) as again:
                await again.delete(part)


def facts_of(line: str) -> tuple[dict[str, str], str]:
    """`Type=file;Size=3; a name` taken apart (RFC 3659 §7.2)."""
    facts, _, name = line.partition(" ")
    pairs = (fact.partition("=") for fact in facts.split(";"))
    return {key.lower(): value for key, _, value in pairs}, name


def entry_of(path: str, facts: dict[str, str]) -> Entry:
    size = facts.get("size", "")
    return Entry(path, int(size) if size.isdecimal() else None, moment(facts.get("modify", "")))


def moment(text: str) -> datetime | None:
    """`20261121093000`, perhaps with a fraction that not every command of a server gives: UTC (RFC 3659 §2.3)."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
