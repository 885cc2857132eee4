"""What the commands run against: a service on a free port, and servers of example files."""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.log import config_logging
from pyftpdlib.servers import ThreadedFTPServer

from app.cli import cli
from app.cli.demo import free_port, running_service

PRINTED = "http://127.0.0.1:8000"
PASSWORD = "p4ss"


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder to run commands in, and the real addresses of what the pages call by others."""

    folder: Path
    url: str
    web: int
    ftp: int

    def played(self, text: str) -> str:
        """The commands of a page with the addresses that are really there."""
        for printed, real in self.names():
            text = text.replace(printed, real)
        return text

    def printed(self, text: str) -> str:
        """An answer with the addresses that pages use."""
        for printed, real in self.names():
            text = text.replace(real, printed)
        for port, host in ((self.ftp, "ftp.example.com"), (self.web, "files.example.com")):  # as answers write them
            text = text.replace(f'"host":"127.0.0.1","port":{port}', f'"host":"{host}"')
        return text.replace(str(self.folder), ".")

    def names(self) -> list[tuple[str, str]]:
        return [
            ('"host": "ftp.example.com"', f'"host": "127.0.0.1", "port": {self.ftp}'),
            (PRINTED, self.url),
            ("http://files.example.com", f"http://127.0.0.1:{self.web}"),
        ]

    def key(self, account: str, label: str = "") -> str:
        """A key of an account; made in this process, because starting one takes longer than all commands of a page."""
        with redirect_stdout(io.StringIO()) as printed:
            cli(
                ["key", "create", "--account", account, "--label", label, "--data", str(self.folder / ".sluice")],
                standalone_mode=False,
            )
        return printed.getvalue().split()[-1]


@contextmanager
def stage(folder: Path, examples: Path) -> Iterator[Stage]:
    folder.chmod(0o711)
    (folder / "examples").symlink_to(examples)
    (folder / "out").mkdir()
    with web_server(folder) as web, ftp_server(folder) as ftp:
        settings = {"SLUICE_ALLOW_NETWORKS": "127.0.0.1/32", "SLUICE_LOG_LEVEL": "error"}
        with running_service(folder / ".sluice", **settings) as url:
            yield Stage(folder, url, web, ftp)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def web_server(folder: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def ftp_server(folder: Path) -> Iterator[int]:
    config_logging(level=logging.ERROR)
    users = DummyAuthorizer()
    users.add_user("shop", PASSWORD, str(folder), perm="elradfmw")
    handler = type("Handler", (FTPHandler,), {"authorizer": users})
    port = free_port()
    server = ThreadedFTPServer(("127.0.0.1", port), handler, ioloop=IOLoop())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield port
    server.close_all()
