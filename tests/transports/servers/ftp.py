"""FTP servers: pyftpdlib, plain and under TLS of both kinds, with faults; and a hand-made one that lies."""

import asyncio
import logging
import os
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from OpenSSL import SSL
from pydantic import SecretStr

from app.transports.transport import Remote
from tests.transports.servers.disk import FilesOnDisk
from tests.transports.servers.server import PASSWORD, RIGHTS, USER, Certificates
from tests.transports.servers.sockets import listener

with warnings.catch_warnings():
    # pyftpdlib stands on them; from Python 3.12 on it brings them along, and they say nothing.
    warnings.filterwarnings("ignore", "The asyn(core|chat) module is deprecated", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it sets up a talkative one of its own
logging.getLogger("pyftpdlib").propagate = False

Tls = Literal["none", "explicit", "implicit"]


@dataclass
class Faults:
    """What a server does wrong, and what it was asked."""

    unknown: set[str] = field(default_factory=set)  # commands that it does not know; a new session looks
    left: int = 0  # bytes of files until `fault`
    fault: str = ""  # "cut": the data connection ends; "drop": the control connection too; "stall"
    drip: tuple[int, float] | None = None  # so many bytes, then so many seconds of nothing
    keeps: bool = False  # it does not rename a file onto another
    broken_rename: int = 0  # the one that fails, counted from 1
    lost_rename: bool = False  # it breaks off instead of answering, once
    asked: list[str] = field(default_factory=list)
    reused: list[bool] = field(default_factory=list)  # TLS sessions of data connections


class Faulty:
    """Mixed into a data channel: sends files as the server's faults have it."""

    def use_sendfile(self) -> bool:
        return False

    def send(self, data: bytes) -> int:
        faults: Faults = self.cmd_channel.faults
        if self.file_obj is None or not (faults.fault or faults.drip):
            return super().send(data)
        if faults.drip:
            size, pause = faults.drip
            self.del_channel()
            self.ioloop.call_later(pause, lambda: self.add_channel(events=self.ioloop.WRITE))
            return super().send(data[:size])
        if faults.left > 0:
            sent = super().send(data[: faults.left])
            faults.left -= sent
            return sent
        fault, faults.fault = faults.fault, ""
        if fault == "stall":
            self.del_channel()
            return 0
        if fault == "drop":
            self.cmd_channel.close()
        with socket.socket(fileno=os.dup(self.fileno())) as raw:
            raw.shutdown(socket.SHUT_RDWR)  # under TLS too it ends without a word
        raise ConnectionResetError


class Data(Faulty, DTPHandler):
    pass


class TlsData(Faulty, TLS_DTPHandler):
    def handle_ssl_established(self) -> None:
        super().handle_ssl_established()
        self.cmd_channel.faults.reused.append(bool(SSL._lib.SSL_session_reused(self.socket._ssl)))


class Listening:
    """Mixed into a control channel: writes down what it is asked, and forgets what it shall not know."""

    faults: Faults
    auth_failed_timeout = 0.01

    def __init__(self, *given: Any, **named: Any) -> None:
        self.proto_cmds = {name: row for name, row in self.proto_cmds.items() if name not in self.faults.unknown}
        super().__init__(*given, **named)

    def pre_process_command(self, line: str, command: str, argument: str) -> None:
        self.faults.asked.append(line)
        super().pre_process_command(line, command, argument)

    def ftp_RNTO(self, path: str) -> None:  # noqa: N802 - pyftpdlib's way
        self.faults.broken_rename -= 1
        if self.faults.broken_rename == 0:
            self.respond("550 Not now.")
        elif self.faults.keeps and Path(path).exists():
            self.respond("553 Target file exists.")
        elif self.faults.lost_rename:
            self.faults.lost_rename = False
            Path(self._rnfr).replace(path)
            self.close()
        else:
            super().ftp_RNTO(path)


class Plain(Listening, FTPHandler):
    dtp_handler = Data


class Explicit(Listening, TLS_FTPHandler):
    dtp_handler = TlsData
    tls_control_required = True
    tls_data_required = True


class Implicit(Explicit):
    def handle(self) -> None:
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self) -> None:
        TLS_FTPHandler.handle(self)


# Right -> pyftpdlib's letters.
LETTERS = {"read": "elr", "write": "ewf", "delete": "d"}
HANDLERS: dict[Tls, type[Any]] = {"none": Plain, "explicit": Explicit, "implicit": Implicit}


class FtpServer(FilesOnDisk):
    """A running pyftpdlib as the conformance tests want it."""

    def __init__(self, folder: Path, port: int, tls: Tls, faults: Faults, users: DummyAuthorizer) -> None:
        super().__init__(folder)
        self.users = users
        self.secure = tls != "none"
        self.faults = faults
        self.remote = Remote(
            "ftps" if self.secure else "ftp",
            "127.0.0.1",
            port,
            user=USER,
            password=SecretStr(PASSWORD),
            options={"tls": tls} if self.secure else {},
        )

    async def clear(self) -> None:
        await super().clear()
        self.faults.__init__()
        self.permit(*RIGHTS)

    def permit(self, *rights: str) -> None:
        self.users.user_table[USER]["perm"] = "".join(LETTERS[right] for right in rights)

    def unwelcome(self) -> Remote:
        return replace(self.remote, password=SecretStr("wrong"))

    def at(self, port: int) -> Remote:
        return replace(self.remote, port=port)

    def cut_after(self, size: int) -> None:
        self.faults.left, self.faults.fault = size, "cut"

    def stall_after(self, size: int) -> None:
        self.faults.left, self.faults.fault = size, "stall"


def openssl(certificates: Certificates, folder: Path) -> SSL.Context:
    pem = folder / "server.pem"
    certificates.authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(pem)
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(pem)
    context.use_privatekey_file(pem)
    context.set_session_id(b"ftp")
    return context


@asynccontextmanager
async def ftp_server(tls: Tls, certificates: Certificates, host: str = "127.0.0.1") -> AsyncIterator[FtpServer]:
    """A server in a thread of its own."""
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        users = DummyAuthorizer()
        users.add_user(USER, PASSWORD, str(home), perm="".join(LETTERS.values()))
        faults = Faults()
        known: dict[str, Any] = {"authorizer": users, "faults": faults}
        if tls != "none":
            known["ssl_context"] = openssl(certificates, Path(folder))
        server = FTPServer((host, 0), type("Handler", (HANDLERS[tls],), known), ioloop=IOLoop())
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                server.ioloop.loop(0.05, False)
            server.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            running = FtpServer(home, server.address[1], tls, faults, users)
            running.remote = replace(running.remote, host=host)
            yield running
        finally:
            stopping.set()
            await asyncio.to_thread(thread.join)


@dataclass
class Script:
    """A hand-made server: a table of answers, and files. TLS on data begins after the command, as most have it."""

    files: dict[str, bytes]
    answers: dict[str, str | bytes] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    injected: bytes = b""  # sent in clear with the answer to AUTH
    asked: list[str] = field(default_factory=list)
    data_connections: int = 0
    resumed: list[bool] = field(default_factory=list)  # TLS sessions of data connections
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Script"]:
        async with listener(self._session) as self.port:
            yield self

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-Hello\r\n you\r\n220 there\r\n")
        async with AsyncExitStack() as stack:
            arrived: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                self.asked.append(line)
                command, _, argument = line.partition(" ")
                answer = self.answers.get(command)
                if answer is not None:
                    writer.write((answer if isinstance(answer, bytes) else answer.encode()) + b"\r\n")
                elif command in ("EPSV", "PASV"):
                    port = await stack.enter_async_context(listener(lambda _, data: self._arrive(arrived, data)))
                    where = f"(|||{port}|)" if command == "EPSV" else f"(10,9,8,7,{port // 256},{port % 256})"
                    writer.write(f"{'229' if command == 'EPSV' else '227'} here {where}\r\n".encode())
                elif command == "AUTH" and self.tls:
                    writer.write(b"234 go on\r\n" + self.injected)
                    await writer.start_tls(self.tls)
                elif command in ("RETR", "LIST", "MLSD"):
                    writer.write(b"150 coming\r\n")
                    await self._send(await arrived.get(), self.files.get(f"{command} {argument}".strip(), b""))
                    writer.write(b"226 done\r\n")
                else:
                    writer.write(f"{KNOWN.get(command, '502 what?')}\r\n".encode())
                await writer.drain()

    async def _arrive(self, arrived: "asyncio.Queue[asyncio.StreamWriter]", data: asyncio.StreamWriter) -> None:
        self.data_connections += 1
        arrived.put_nowait(data)
        await asyncio.Event().wait()

    async def _send(self, sending: asyncio.StreamWriter, data: bytes) -> None:
        if self.tls:
            await sending.start_tls(self.tls)
            self.resumed.append(sending.get_extra_info("ssl_object").session_reused)
        sending.write(data)
        sending.close()


KNOWN = {
    "USER": "331 and?",
    "PASS": "230 in",
    "TYPE": "200 yes",
    "PBSZ": "200 yes",
    "PROT": "200 yes",
    "QUIT": "221 bye",
}
