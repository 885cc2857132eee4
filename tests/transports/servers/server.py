"""What the conformance tests want of a server, whatever protocol it speaks, and means that several have in common."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Protocol

import trustme

from app.transports.guard import Guard
from app.transports.transport import Remote, TransferPolicy

RIGHTS = frozenset({"read", "write", "delete"})
LOCAL = Guard(allowed=(ip_network("127.0.0.0/8"),))
USER, PASSWORD = "the user", "pass:wörd/1"


class Server(Protocol):
    """A running server with one user, seen from the tests. Names are paths like `folder/a b.csv`."""

    remote: Remote
    patterns: bool  # it can list
    writes: bool  # it takes files
    secure: bool  # it speaks TLS, with a certificate of the tests' own authority

    async def store(self, name: str, data: bytes, modified: datetime | None = None) -> None:
        """Puts a file there, not over the protocol, at once and whole; the folders on the way are made."""

    async def remove(self, name: str) -> None:
        """Takes a file away, not over the protocol."""

    async def stored(self, name: str) -> bytes | None:
        """What is there now, not over the protocol."""

    async def names(self) -> set[str]:
        """Every file that is there, or is only half there."""

    async def clear(self) -> None:
        """Removes every file and every fault."""

    def permit(self, *rights: str) -> None:
        """From now on the user has these of RIGHTS only. Whoever may write may rename, and see nothing."""

    def unwelcome(self) -> Remote:
        """The same place with a wrong password (or key)."""

    def at(self, port: int) -> Remote:
        """The same place at another port of this machine."""

    def cut_after(self, size: int) -> None:
        """Breaks the connection, once, when about so many more bytes of files were sent."""

    def stall_after(self, size: int) -> None:
        """Falls silent for good on the connection that has sent about so many more bytes of files; once."""


@dataclass
class Certificates:
    """An authority of the tests and what it signed."""

    authority: trustme.CA = field(default_factory=trustme.CA)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """Trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        return context


def policy(tls: ssl.SSLContext, **others: Any) -> TransferPolicy:
    """Terms for servers on this machine, impatient ones."""
    given = {"limit": 2**30, "guard": LOCAL, "connect_seconds": 5, "idle_seconds": 5, "total_seconds": 60, "tries": 3}
    return TransferPolicy(tls=tls, **{**given, **others})


class Wire:
    """Stands before a server, adds TLS if wanted, and breaks or freezes connections when told to."""

    def __init__(self, behind: int, tls: ssl.SSLContext | None = None) -> None:
        self.behind = behind
        self.tls = tls
        self.port = 0
        self.connections = 0
        self.heal()

    def heal(self) -> None:
        self.fail_after(0, "")

    def fail_after(self, size: int, fault: str) -> None:
        """The next connection that is past so many bytes to the client is hit, once: "cut" or "stall"."""
        self.left = size
        self.fault = fault

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Wire"]:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = listening.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[Any]] = set()
        try:
            yield self
        finally:
            listening.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(mine := asyncio.current_task())
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.behind)
            upwards = asyncio.create_task(self._up(reader, back))
            try:
                await self._down(there, writer)
            finally:
                upwards.cancel()
                writer.transport.abort()
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(mine)

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                back.write(piece)
                await back.drain()
            if back.can_write_eof():
                back.write_eof()

    async def _down(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await there.read(16_384):
            self.left -= len(piece)
            if self.left < 0 and self.fault == "cut":
                self.heal()
                return
            if self.left < 0 and self.fault == "stall":
                self.heal()
                await asyncio.Event().wait()
            writer.write(piece)
            await writer.drain()
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port of this machine that never answers: a listener whose queue is full, so the kernel drops what comes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listening.getsockname())
            fillers.append(filler)
        try:
            yield listening.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()
