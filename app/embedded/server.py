"""Starts a server: finds a free port, waits until it is ready, and reports why it failed."""

import os
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.embedded.child import Child
from app.embedded.errors import StartFailed
from app.embedded.processes import POLL_SECONDS

LOOPBACK = "127.0.0.1"
# Below the range of ephemeral ports: a client that keeps dialling a server that is down could get the server's port for
# its own end, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)

# `time.sleep`, or a function of the caller that raises when it is interrupted.
Sleep = Callable[[float], None]


class ManagedProcess(Protocol):
    """Something that runs as one child process and can be restarted; `child` is None before the first start."""

    name: str
    child: Child | None

    def spawn(self) -> None: ...


class Server(ManagedProcess, Protocol):
    """A server: `spawn` starts its process, `ready` says whether it accepts requests."""

    log: Path
    # What its log says if it failed only because processes of its predecessor have not ended yet.
    temporary_error: str | None

    def ready(self) -> bool: ...


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port


def start_server(server: Server, seconds: float, sleep: Sleep) -> None:
    """Starts the server and waits until it is ready. Raises StartFailed with the end of the server's log."""
    deadline = time.monotonic() + seconds
    while not _try_start(server, deadline, sleep):
        sleep(10 * POLL_SECONDS)


def _try_start(server: Server, deadline: float, sleep: Sleep) -> bool:
    """Whether the server is ready; False if another try is worthwhile. Raises StartFailed."""
    offset = _size(server.log)
    server.spawn()
    while not server.ready():
        late = time.monotonic() > deadline
        if server.child is None or server.child.exit_code() is not None:
            lines = _read_new_lines(server.log, offset)
            if server.temporary_error and any(server.temporary_error in line for line in lines) and not late:
                return False
            raise StartFailed(f"{server.name} exited while starting: {_find_reason(lines)} (see {server.log})")
        if late:
            server.child.stop(5)
            raise StartFailed(f"{server.name} was not ready in time (see {server.log})")
        sleep(POLL_SECONDS)
    return True


def server_environment() -> dict[str, str]:
    """An environment without the caller's variables: PGDATA or PGPORT would change what the server does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _read_new_lines(log: Path, offset: int) -> list[str]:
    """The lines after the offset. Processes of a server that was killed before may still write there, too."""
    with log.open("rb") as file:
        file.seek(offset if offset <= _size(log) else 0)  # a log that grew too long was started again
        return file.read().decode(errors="replace").splitlines()


def _find_reason(lines: list[str]) -> str:
    fatal = [line for line in lines if "FATAL" in line][-1:]
    return " ".join(fatal or lines[-3:]) or "its log is empty"
