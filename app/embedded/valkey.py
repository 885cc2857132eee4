"""Runs Valkey (or Redis) on the loopback address, with a password and an append-only file."""

import signal
import socket
import time

from app.embedded.binaries import find_valkey
from app.embedded.child import Child, Command
from app.embedded.data_folder import DataFolder
from app.embedded.server import LOOPBACK, Sleep, free_port, server_environment, start_server

START_SECONDS, STOP_SECONDS = 60.0, 15.0

SETTINGS: dict[str, str] = {
    "bind": LOOPBACK,
    "protected-mode": "yes",
    "daemonize": "no",
    # The queue survives a kill. What a power cut takes of the last second, the workers find in PostgreSQL.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    # Any other policy drops acknowledged tasks when memory is short.
    "maxmemory-policy": "noeviction",
}


class Valkey:
    """One Valkey server. The object keeps its port over any number of restarts."""

    name = "valkey"
    temporary_error: str | None = None

    def __init__(self, data_folder: DataFolder) -> None:
        self._data_folder = data_folder
        self._program = find_valkey(data_folder)
        self._folder = data_folder.servers / "valkey"
        self.child: Child | None = None
        self.port = free_port()
        self.log = data_folder.log_file(self.name)

    @property
    def url(self) -> str:
        return f"redis://:{self._data_folder.secrets.valkey}@{LOOPBACK}:{self.port}/0"

    def start(self, seconds: float = START_SECONDS, sleep: Sleep = time.sleep) -> None:
        """Starts the server and waits until it has read its log and accepts commands. Raises StartFailed."""
        start_server(self, seconds, sleep)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        if self.child:
            self.child.stop(seconds)

    def kill(self) -> None:
        """Kills the server, as a crash would, to test recovery."""
        if self.child:
            self.child.kill()

    def spawn(self) -> None:
        self._data_folder.make_private(self._folder)
        self.child = Child(self._command())

    def ready(self) -> bool:
        """Whether it accepts commands. It accepts connections earlier, but answers a ping only when its log is read."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._data_folder.secrets.valkey}\r\nPING\r\n".encode())
                response = connection.recv(100)
                while response.count(b"\n") < 2 and (more := connection.recv(100)):
                    response += more
                return b"+PONG" in response
        except OSError:
            return False

    def _command(self) -> Command:
        settings = {
            **SETTINGS,
            "port": str(self.port),
            "dir": f'"{self._folder}"',
            "requirepass": self._data_folder.secrets.valkey,
        }
        return Command(
            name=self.name,
            # The settings go through its standard input: on the command line everybody could read the password.
            arguments=[self._program, "-"],
            text="".join(f"{name} {value}\n" for name, value in settings.items()),
            environment=server_environment(),
            pid_file=self._data_folder.pid_file(self.name),
            orphan_signal=signal.SIGTERM,
            user=self._data_folder.user,
            folder=self._data_folder.servers,
            log=self.log,
        )
