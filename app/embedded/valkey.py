"""Runs Valkey (or Redis) from its program: on loopback, with a password, and with every write in its log."""

import signal
import socket
import time

from app.embedded.binaries import valkey_program
from app.embedded.child import Child, Command
from app.embedded.data_folder import DataFolder
from app.embedded.server import LOOPBACK, Pause, free_port, server_environment, start

START_PATIENCE, STOP_PATIENCE = 60.0, 15.0

SETTINGS: dict[str, str] = {
    "bind": LOOPBACK,
    "protected-mode": "yes",
    "daemonize": "no",
    # The queue survives a kill; what the last second before a power cut may lose, the workers find in PostgreSQL.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    # Any other policy drops acknowledged jobs when memory is short.
    "maxmemory-policy": "noeviction",
}


class Valkey:
    """One Valkey server. The port is kept for the life of this object, over any number of restarts."""

    name = "valkey"
    passing_trouble: str | None = None

    def __init__(self, place: DataFolder) -> None:
        self._place = place
        self._program = valkey_program(place)
        self._folder = place.servers / "valkey"
        self.child: Child | None = None
        self.port = free_port()
        self.log = place.log(self.name)

    @property
    def url(self) -> str:
        return f"redis://:{self._place.secrets.valkey}@{LOOPBACK}:{self.port}/0"

    def start(self, patience: float = START_PATIENCE, pause: Pause = time.sleep) -> None:
        """Start and wait until it takes commands, its log read again. Raises CannotStart."""
        start(self, patience, pause)

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        if self.child:
            self.child.stop(patience)

    def kill(self) -> None:
        """As a crash would: the test of everything that recovers."""
        if self.child:
            self.child.kill()

    def spawn(self) -> None:
        self._place.make_private(self._folder)
        self.child = Child(self._command())

    def ready(self) -> bool:
        """It takes connections before it has read its log; only then does it answer a ping."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._place.secrets.valkey}\r\nPING\r\n".encode())
                answer = connection.recv(100)
                while answer.count(b"\n") < 2 and (more := connection.recv(100)):
                    answer += more
                return b"+PONG" in answer
        except OSError:
            return False

    def _command(self) -> Command:
        settings = {
            **SETTINGS,
            "port": str(self.port),
            "dir": f'"{self._folder}"',
            "requirepass": self._place.secrets.valkey,
        }
        return Command(
            name=self.name,
            # The settings come through its standard input: on the command line everybody could read the password.
            arguments=[self._program, "-"],
            text="".join(f"{name} {value}\n" for name, value in settings.items()),
            environment=server_environment(),
            record=self._place.record(self.name),
            orphan_signal=signal.SIGTERM,
            account=self._place.account,
            folder=self._place.servers,
            log=self.log,
        )
