"""What starting PostgreSQL and starting Valkey have in common: a port, patience, and a reason when it fails."""

import os
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.embedded.child import Child
from app.embedded.errors import CannotStart
from app.embedded.processes import PAUSE

LOOPBACK = "127.0.0.1"
# Below the range from which systems lend ports to outgoing connections: a client that keeps dialling a server that is
# down can be lent that very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)

# How to wait: `time.sleep`, or what a caller has that can be interrupted (by raising).
Pause = Callable[[float], None]


class Unit(Protocol):
    """Anything that runs as one child process and may be started again; `child` is None before the first start."""

    name: str
    child: Child | None

    def spawn(self) -> None: ...


class Server(Unit, Protocol):
    """A server: `spawn` begins to start it and `ready` tells when it answers."""

    log: Path
    # What its log says when it failed only because the processes of the one before it have not ended yet.
    passing_trouble: str | None

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


def start(server: Server, patience: float, pause: Pause) -> None:
    """Start and wait until the server answers. Raises CannotStart with the server's own last words."""
    deadline = time.monotonic() + patience
    while not _answers(server, deadline, pause):
        pause(10 * PAUSE)


def _answers(server: Server, deadline: float, pause: Pause) -> bool:
    """False when it is worth another try."""
    seen = _size(server.log)
    server.spawn()
    while not server.ready():
        late = time.monotonic() > deadline
        if server.child is None or server.child.exit_code() is not None:
            words = _words(server.log, seen)
            if server.passing_trouble and any(server.passing_trouble in line for line in words) and not late:
                return False
            raise CannotStart(f"{server.name} ended while starting: {_reason(words)} (see {server.log})")
        if late:
            server.child.stop(5)
            raise CannotStart(f"{server.name} did not get ready in time (see {server.log})")
        pause(PAUSE)
    return True


def server_environment() -> dict[str, str]:
    """Nothing of ours: variables such as PGDATA or PGPORT of the caller would change what the server does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _words(log: Path, seen: int) -> list[str]:
    """Everything written since; the processes of a server that was killed before may still write there, too."""
    with log.open("rb") as file:
        file.seek(seen if seen <= _size(log) else 0)  # a log that grew too long was begun anew
        return file.read().decode(errors="replace").splitlines()


def _reason(words: list[str]) -> str:
    fatal = [line for line in words if "FATAL" in line][-1:]
    return " ".join(fatal or words[-3:]) or "not a word in its log"
