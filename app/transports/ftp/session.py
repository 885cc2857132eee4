"""One FTP session: commands and answers by aioftp, connections by our own code.

aioftp handles the control connection. What it would do unsafely or too early is done here: every connection goes to the
address that the guard has checked, whatever a PASV answer says, and TLS on a data connection begins after the command
that uses it, because most servers do not look at it before (RFC 4217 §12.7).
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Literal, TypeVar

import aioftp

from app.transports.failed import Step, TransportFailed, bad_option, failure
from app.transports.ftp.answers import translate_errors, translate_tls_errors
from app.transports.transport import CHUNK, Remote, TransferPolicy, time_limit
from app.transports.url import validate_port

Tls = Literal["none", "explicit", "implicit"]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Transfer = tuple[asyncio.StreamReader, asyncio.StreamWriter, int]  # the offset at which the server starts
T = TypeVar("T")

TLS_MODES: dict[str, Tls] = {"explicit": "explicit", "implicit": "implicit"}
IMPLICIT_PORT = 990
MOST_ENTRIES = 50_000  # of one folder
MOST_LINES = 1_000  # of one answer
MOST_BYTES = 16_777_216  # of one listing
LOWEST_DATA_PORT = 1_024
PORT_OF_EPSV = re.compile(r"\((.)\1\1(\d{1,5})\1\)")
PORT_OF_PASV = re.compile(r"\d+,\d+,\d+,\d+,(\d{1,3}),(\d{1,3})")
CONTROL = frozenset(map(chr, (*range(32), 127)))


def choose_tls(remote: Remote) -> Tls:
    """Explicit TLS by default, implicit TLS on port 990, which was assigned to it."""
    if remote.scheme == "ftp":
        return "none"
    mode = remote.text("tls", "implicit" if remote.port == IMPLICIT_PORT else "explicit")
    if mode not in TLS_MODES:
        raise bad_option("tls")
    return TLS_MODES[mode]


def abort(writer: asyncio.StreamWriter) -> None:
    with suppress(AttributeError):  # CPython 3.11: a transport that has closed meanwhile has no loop
        writer.transport.abort()


class FtpSession(aioftp.Client):
    """A session on one server. `open` makes it ready for use, `close` ends it without a QUIT."""

    def __init__(self, remote: Remote, policy: TransferPolicy) -> None:
        super().__init__(socket_timeout=policy.idle_seconds)
        self.tls: Tls = choose_tls(remote)
        self.features: frozenset[str] = frozenset()
        self._remote = remote
        self._policy = policy
        self._peer = remote.host
        self._lines = 0

    async def open(self) -> None:
        remote = self._remote
        port = IMPLICIT_PORT if remote.port is None and self.tls == "implicit" else remote.port
        with translate_errors("connect"):
            await self.connect(remote.host, validate_port(remote.scheme, port))
            if self.tls != "none":
                await self._protect()
        with translate_errors("authenticate"):
            await self._log_in(
                remote.user or "anonymous", remote.password.get_secret_value() if remote.password else ""
            )
        with translate_errors("connect"):
            await self.command("TYPE I", "200")
            self.features = await self._find_features()

    async def _protect(self) -> None:
        """Begins TLS on the control connection and announces it for the data connections (RFC 4217 §4, §9)."""
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
                    raise failure("no_tls")  # an answer to commands that we send only inside TLS: somebody injected it
        async with time_limit(self._policy.connect_seconds, "no_answer"):
            with translate_tls_errors():
                await self.stream.start_tls(self._policy.tls, self._remote.host)

    async def _log_in(self, user: str, password: str) -> None:
        if CONTROL.intersection(user + password):
            raise failure("login")  # they would end the command and begin another
        code, _ = await self.command(f"USER {user}", ("230", "331"))
        if code == "331":
            await self.command(f"PASS {password}", ("230", "202"), censor_after=5)

    async def _find_features(self) -> frozenset[str]:
        try:
            _, lines = await self.command("FEAT", "211")
        except aioftp.StatusCodeError:
            return frozenset()
        features = frozenset(words[0].upper() for line in lines[1:-1] if (words := line.split()))
        if "UTF8" in features:
            await self.command("OPTS UTF8 ON", ("2xx", "5xx"))  # some servers use it only when asked
        return features

    async def ask(self, command: str, code: str, unless: str = "50") -> str | None:
        """The text of the answer's last line; None if its code begins with `unless`: the server lacks the command."""
        try:
            _, lines = await self.command(command, code)
        except aioftp.StatusCodeError as refused:
            if refused.received_codes[-1].startswith(unless):
                return None
            raise
        return lines[-1].strip()

    async def list_lines(self, command: str) -> list[bytes]:
        """The lines of a listing."""
        received: list[bytes] = []
        size = 0
        async with self._transfer("find", command) as (reader, _, _):
            while line := await self._wait_for(reader.readline(), "find"):
                received.append(line)
                size += len(line)
                if len(received) > MOST_ENTRIES or size > MOST_BYTES:
                    raise failure("too_many")
        return received

    async def retrieve(self, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a file from `offset` on."""
        async with self._transfer("read", f"RETR {path}", offset) as (reader, _, began):
            skip = offset - began
            while piece := await self._wait_for(reader.read(CHUNK), "read"):
                if len(piece) > skip:
                    yield piece[skip:]
                skip = max(0, skip - len(piece))

    async def store(self, path: str, data: AsyncIterator[bytes]) -> int:
        """Writes a file and returns its number of bytes."""
        size = 0
        async with self._transfer("write", f"STOR {path}") as (_, writer, _):
            async for piece in data:
                writer.write(piece)
                await self._wait_for(writer.drain(), "write")
                size += len(piece)
        return size

    async def _wait_for(self, result: Coroutine[None, None, T], step: Step) -> T:
        with translate_errors(step):
            async with asyncio.timeout(self._policy.idle_seconds):
                return await result

    @asynccontextmanager
    async def _transfer(self, step: Step, command: str, offset: int = 0) -> AsyncIterator[Transfer]:
        """A data connection for a command. The end of the block waits for the server to confirm the transfer."""
        with translate_errors(step):
            reader, writer, began = await self._begin(command, offset)
        try:
            yield reader, writer, began
            with translate_errors(step):
                writer.close()
                await self.command(None, "2xx")
        except BaseException:
            self.close()  # for the reason given in _begin
            raise
        finally:
            abort(writer)

    async def _begin(self, command: str, offset: int) -> Transfer:
        port = await self._passive_port()
        dialled = await self._policy.guard.dial(self._peer, port, self._policy.connect_seconds)
        try:
            began = await self._restart_at(offset)
            await self.command(command, "1xx")
            reader, writer = await self._data_streams(dialled)
        except aioftp.StatusCodeError:
            dialled.close()
            raise
        except BaseException:
            dialled.close()
            self.close()  # an answer still to come would be taken for that of the next command
            raise
        return reader, writer, began

    async def _passive_port(self) -> int:
        try:
            _, lines = await self.command("EPSV", "229")
            match = PORT_OF_EPSV.search(lines[-1])
            port = int(match[2]) if match else 0
        except aioftp.StatusCodeError as refused:
            if not refused.received_codes[-1].startswith("5"):
                raise
            _, lines = await self.command("PASV", "227")
            match = PORT_OF_PASV.search(lines[-1])  # its first four numbers are an address, which is ignored
            port = int(match[1]) * 256 + int(match[2]) if match else 0
        if not LOWEST_DATA_PORT <= port < 65_536:
            raise failure("odd_answer")
        return port

    async def _restart_at(self, offset: int) -> int:
        if not offset:
            return 0
        code, _ = await self.command(f"REST {offset}", ("350", "5xx"))
        return offset if code == "350" else 0

    async def _open_connection(self, host: str, port: int) -> Streams:
        """Called by aioftp to connect. The address that was dialled is used for data connections as well."""
        dialled = await self._policy.guard.dial(host, port, self._policy.connect_seconds)
        self._peer = str(dialled.getpeername()[0])
        return await self._streams(dialled, self._policy.tls if self.tls == "implicit" else None)

    async def _data_streams(self, dialled: socket.socket) -> Streams:
        """The streams of a data connection. TLS resumes the session of the control connection: many servers insist."""
        context: ssl.SSLContext | None = None
        if self.tls != "none":
            session: ssl.SSLSession = self.stream.writer.get_extra_info("ssl_object").session
            context = aioftp.SSLSessionBoundContext(ssl.PROTOCOL_TLS_CLIENT, self._policy.tls, session)
        return await self._streams(dialled, context)

    async def _streams(self, dialled: socket.socket, context: ssl.SSLContext | None) -> Streams:
        name = self._remote.host if context else None
        async with time_limit(self._policy.connect_seconds, "no_answer"):
            with translate_tls_errors():
                return await asyncio.open_connection(sock=dialled, ssl=context, server_hostname=name, limit=CHUNK)

    async def parse_response(self) -> tuple[aioftp.Code, list[str]]:
        self._lines = 0
        try:
            async with asyncio.timeout(self._policy.idle_seconds):
                return await super().parse_response()
        except BaseException:
            self.close()  # for the reason given in _begin
            raise

    async def parse_line(self) -> tuple[aioftp.Code, str]:
        """As in aioftp, but with a limit on long answers, and for servers whose text is not UTF-8."""
        self._lines += 1
        line = await self.stream.readline()
        if not line:
            raise ConnectionResetError
        if self._lines > MOST_LINES:
            raise failure("odd_answer")
        text = line.decode("utf-8", "replace").rstrip()
        return aioftp.Code(text[:3]), text[3:]

    async def leave(self) -> None:
        """Sends QUIT, waits at most a second for the answer, and closes."""
        if self._stream and not self._stream.writer.transport.is_closing():
            with suppress(TransportFailed), translate_errors("find"):
                async with time_limit(1):
                    await self.command("QUIT", "2xx")
        self.close()

    def close(self) -> None:
        if self._stream:
            abort(self._stream.writer)
