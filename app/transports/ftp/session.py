"""One FTP session: commands and answers over aioftp, with our own way of connecting.

aioftp speaks the control connection. What it would do unsafely or too early is done here: every connection goes to the
address that guard has checked, whatever a PASV answer says, and TLS on a data connection begins after the command that
uses it, because most servers do not look at it before (RFC 4217 §12.7).
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Literal, TypeVar

import aioftp

from app.transports.failed import Step, TransportFailed, failure
from app.transports.ftp.answers import told, trusted
from app.transports.transport import CHUNK, Remote, Terms, within
from app.transports.url import checked_port

Tls = Literal["none", "explicit", "implicit"]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Transfer = tuple[asyncio.StreamReader, asyncio.StreamWriter, int]  # the byte that the server begins at
T = TypeVar("T")

KINDS: dict[str, Tls] = {"explicit": "explicit", "implicit": "implicit"}
IMPLICIT_PORT = 990
MOST_ENTRIES = 50_000  # of one folder
MOST_LINES = 1_000  # of one answer
MOST_BYTES = 16_777_216  # of one listing
LOWEST_DATA_PORT = 1_024
PORT_OF_EPSV = re.compile(r"\((.)\1\1(\d{1,5})\1\)")
PORT_OF_PASV = re.compile(r"\d+,\d+,\d+,\d+,(\d{1,3}),(\d{1,3})")
CONTROL = frozenset(map(chr, (*range(32), 127)))


def tls_of(remote: Remote) -> Tls:
    """Explicit where nothing else is said; port 990 was given out for the implicit kind."""
    if remote.scheme == "ftp":
        return "none"
    wanted = remote.text("tls", "implicit" if remote.port == IMPLICIT_PORT else "explicit")
    if wanted not in KINDS:
        raise failure("bad_option")
    return KINDS[wanted]


def abort(writer: asyncio.StreamWriter) -> None:
    with suppress(AttributeError):  # CPython 3.11: what closed in the meantime has no loop any more
        writer.transport.abort()


class Session(aioftp.Client):
    """A session at one place; `open` makes it ready for use, `close` ends it without a word."""

    def __init__(self, remote: Remote, terms: Terms) -> None:
        super().__init__(socket_timeout=terms.idle_seconds)
        self.tls: Tls = tls_of(remote)
        self.features: frozenset[str] = frozenset()
        self._remote = remote
        self._terms = terms
        self._peer = remote.host
        self._lines = 0

    async def open(self) -> None:
        remote = self._remote
        port = IMPLICIT_PORT if remote.port is None and self.tls == "implicit" else remote.port
        with told("connect"):
            await self.connect(remote.host, checked_port(remote.scheme, port))
            if self.tls != "none":
                await self._protect()
        with told("authenticate"):
            await self._log_in(
                remote.user or "anonymous", remote.password.get_secret_value() if remote.password else ""
            )
        with told("connect"):
            await self.command("TYPE I", "200")
            self.features = await self._find_features()

    async def _protect(self) -> None:
        """TLS on the control connection, and the promise of it on every data connection (RFC 4217 §4, §9)."""
        try:
            if self.tls == "explicit":
                await self.command("AUTH TLS", "234")
                await self._begin_tls()
            await self.command("PBSZ 0", "200")
            await self.command("PROT P", "200")
        except aioftp.StatusCodeError:
            raise failure("no_tls") from None

    async def _begin_tls(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                if await self.stream.reader.read(1):
                    raise failure("no_tls")  # somebody answers commands that we are only going to send inside TLS
        async with within(self._terms.connect_seconds, "no_answer"):
            with trusted():
                await self.stream.start_tls(self._terms.tls, self._remote.host)

    async def _log_in(self, user: str, password: str) -> None:
        if CONTROL.intersection(user + password):
            raise failure("login")  # they would be commands
        code, _ = await self.command(f"USER {user}", ("230", "331"))
        if code == "331":
            await self.command(f"PASS {password}", ("230", "202"), censor_after=5)

    async def _find_features(self) -> frozenset[str]:
        try:
            _, lines = await self.command("FEAT", "211")
        except aioftp.StatusCodeError:
            return frozenset()
        found = frozenset(words[0].upper() for line in lines[1:-1] if (words := line.split()))
        if "UTF8" in found:
            await self.command("OPTS UTF8 ON", ("2xx", "5xx"))  # some speak it only when asked
        return found

    async def ask(self, command: str, code: str, unless: str = "50") -> str | None:
        """The words of the answer's last line; None if its code begins with `unless`: the server cannot do that."""
        try:
            _, lines = await self.command(command, code)
        except aioftp.StatusCodeError as refused:
            if refused.received_codes[-1].startswith(unless):
                return None
            raise
        return lines[-1].strip()

    async def lines(self, command: str) -> list[bytes]:
        """What the server lists, line by line."""
        found: list[bytes] = []
        size = 0
        async with self._transfer("find", command) as (reader, _, _):
            while line := await self._awaited(reader.readline(), "find"):
                found.append(line)
                size += len(line)
                if len(found) > MOST_ENTRIES or size > MOST_BYTES:
                    raise failure("too_many")
        return found

    async def retrieved(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a file from `offset` on."""
        async with self._transfer("read", f"RETR {path}", offset) as (reader, _, began):
            skip = offset - began
            while piece := await self._awaited(reader.read(CHUNK), "read"):
                if len(piece) > skip:
                    yield piece[skip:]
                skip = max(0, skip - len(piece))

    async def store(self, path: str, data: AsyncIterator[bytes]) -> int:
        """Writes a file and says how many bytes it took."""
        size = 0
        async with self._transfer("write", f"STOR {path}") as (_, writer, _):
            async for piece in data:
                writer.write(piece)
                await self._awaited(writer.drain(), "write")
                size += len(piece)
        return size

    async def _awaited(self, coming: Coroutine[None, None, T], step: Step) -> T:
        with told(step):
            async with asyncio.timeout(self._terms.idle_seconds):
                return await coming

    @asynccontextmanager
    async def _transfer(self, step: Step, command: str, offset: int = 0) -> AsyncIterator[Transfer]:
        """A data connection for a command; the block's end waits for the server's word that all went well."""
        with told(step):
            reader, writer, began = await self._begin(command, offset)
        try:
            yield reader, writer, began
            with told(step):
                writer.close()
                await self.command(None, "2xx")
        except BaseException:
            self.close()  # as below
            raise
        finally:
            abort(writer)

    async def _begin(self, command: str, offset: int) -> Transfer:
        port = await self._passive_port()
        dialled = await self._terms.guard.dial(self._peer, port, self._terms.connect_seconds)
        try:
            began = await self._restarted(offset)
            await self.command(command, "1xx")
            reader, writer = await self._data_streams(dialled)
        except aioftp.StatusCodeError:
            dialled.close()
            raise
        except BaseException:
            dialled.close()
            self.close()  # an answer that is still to come would be taken for another command's
            raise
        return reader, writer, began

    async def _passive_port(self) -> int:
        try:
            _, lines = await self.command("EPSV", "229")
            found = PORT_OF_EPSV.search(lines[-1])
            port = int(found[2]) if found else 0
        except aioftp.StatusCodeError as refused:
            if not refused.received_codes[-1].startswith("5"):
                raise
            _, lines = await self.command("PASV", "227")
            found = PORT_OF_PASV.search(lines[-1])  # its first four numbers are an address that nobody needs
            port = int(found[1]) * 256 + int(found[2]) if found else 0
        if not LOWEST_DATA_PORT <= port < 65_536:
            raise failure("odd_answer")
        return port

    async def _restarted(self, offset: int) -> int:
        if not offset:
            return 0
        code, _ = await self.command(f"REST {offset}", ("350", "5xx"))
        return offset if code == "350" else 0

    async def _open_connection(self, host: str, port: int) -> Streams:
        """What aioftp calls to connect; the address that was dialled serves for the data as well."""
        dialled = await self._terms.guard.dial(host, port, self._terms.connect_seconds)
        self._peer = str(dialled.getpeername()[0])
        return await self._streams(dialled, self._terms.tls if self.tls == "implicit" else None)

    async def _data_streams(self, dialled: socket.socket) -> Streams:
        """A data connection, under TLS if the session is, whose TLS session it takes on: many servers insist on it."""
        context: ssl.SSLContext | None = None
        if self.tls != "none":
            session: ssl.SSLSession = self.stream.writer.get_extra_info("ssl_object").session
            context = aioftp.SSLSessionBoundContext(ssl.PROTOCOL_TLS_CLIENT, self._terms.tls, session)
        return await self._streams(dialled, context)

    async def _streams(self, dialled: socket.socket, context: ssl.SSLContext | None) -> Streams:
        name = self._remote.host if context else None
        async with within(self._terms.connect_seconds, "no_answer"):
            with trusted():
                return await asyncio.open_connection(sock=dialled, ssl=context, server_hostname=name, limit=CHUNK)

    async def parse_response(self) -> tuple[aioftp.Code, list[str]]:
        self._lines = 0
        try:
            async with asyncio.timeout(self._terms.idle_seconds):
                return await super().parse_response()
        except BaseException:
            self.close()  # as above
            raise

    async def parse_line(self) -> tuple[aioftp.Code, str]:
        """As aioftp does it, but with an end to long answers, and for servers whose words are not UTF-8."""
        self._lines += 1
        line = await self.stream.readline()
        if not line:
            raise ConnectionResetError
        if self._lines > MOST_LINES:
            raise failure("odd_answer")
        text = line.decode("utf-8", "replace").rstrip()
        return aioftp.Code(text[:3]), text[3:]

    async def leave(self) -> None:
        """Says goodbye, but waits for no more than a moment, and closes."""
        if self._stream and not self._stream.writer.transport.is_closing():
            with suppress(TransportFailed), told("find"):
                async with within(1):
                    await self.command("QUIT", "2xx")
        self.close()

    def close(self) -> None:
        if self._stream:
            abort(self._stream.writer)
