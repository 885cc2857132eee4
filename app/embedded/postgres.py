"""Runs PostgreSQL: one durable cluster in the data folder, on the loopback address."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

from app.embedded.binaries import PostgresPrograms, find_postgres
from app.embedded.child import Child, Command, subprocess_user
from app.embedded.data_folder import DataFolder
from app.embedded.errors import StartFailed
from app.embedded.processes import read_pid, stop_recorded_process
from app.embedded.server import LOOPBACK, Sleep, free_port, server_environment, start_server

USER = DATABASE = "sluice"
START_SECONDS, STOP_SECONDS = 120.0, 30.0

SETTINGS: dict[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # Imports write in bursts: with the default of 1GB a large one would cause many checkpoints.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # An import is acknowledged after the commit, so a commit must be on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    # For statements as short as ours, compiling costs more than it saves.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# Sorts by code point and folds case as Unicode says, independently of the system's C library; since PostgreSQL 17.
BUILTIN_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
C_LIBRARY_LOCALE = ("--locale=C",)


class Postgres:
    """One PostgreSQL server. The object keeps its port and settings over any number of restarts."""

    name = "postgres"
    temporary_error: str | None = "pre-existing shared memory block"

    def __init__(self, data_folder: DataFolder, **settings: str) -> None:
        self._data_folder = data_folder
        self._programs = find_postgres(data_folder)
        self._folder = data_folder.servers / "postgres"
        self._postmaster_pid = self._folder / "postmaster.pid"
        self.child: Child | None = None
        self.port = free_port()
        self.log = data_folder.log_file(self.name)
        self._settings = {**SETTINGS, "port": str(self.port), **settings}

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._data_folder.secrets.postgres}@{LOOPBACK}:{self.port}/{DATABASE}"

    def start(self, seconds: float = START_SECONDS, sleep: Sleep = time.sleep) -> None:
        """Starts the server and waits until it accepts queries, after crash recovery. Raises StartFailed."""
        start_server(self, seconds, sleep)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        if self.child:
            self.child.stop(seconds)

    def kill(self) -> None:
        """Kills the server, as a crash would, to test recovery."""
        if self.child:
            self.child.kill()

    def spawn(self) -> None:
        """Starts the process. The first start creates the cluster, which takes about half a second."""
        if not self._folder.exists():
            _create_cluster(self._data_folder, self._programs, self._folder)
        _check_version(self._folder, self._programs)
        stop_recorded_process(self._data_folder.pid_file(self.name), signal.SIGINT)
        self._drop_stale_pid_file()
        self.child = Child(self._command())

    def ready(self) -> bool:
        """Whether it accepts queries. PostgreSQL writes its state into its pid file, so no login is needed."""
        try:
            lines = self._postmaster_pid.read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = self.child is not None and lines[:1] == [str(self.child.process.pid)]
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def _drop_stale_pid_file(self) -> None:
        """Deletes the pid file of a server of ours that has ended.

        PostgreSQL only checks whether the process id exists: it refuses to start if a zombie or a stranger has it.
        """
        try:
            pid = self._postmaster_pid.read_text().split("\n", 1)[0]
        except FileNotFoundError:
            return
        if pid == str(read_pid(self._data_folder.pid_file(self.name))):
            self._postmaster_pid.unlink()

    def _command(self) -> Command:
        flags = [flag for name, value in self._settings.items() for flag in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            arguments=[self._programs.path("postgres"), "-D", str(self._folder), *flags],
            environment=server_environment(),
            pid_file=self._data_folder.pid_file(self.name),
            # "Fast shutdown": ends the sessions and writes the data out.
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            user=self._data_folder.user,
            folder=self._data_folder.servers,
            log=self.log,
        )


def _create_cluster(data_folder: DataFolder, programs: PostgresPrograms, folder: Path) -> None:
    """Creates the cluster, in a draft folder first: a start that is killed here leaves no half of one."""
    draft = folder.with_name("postgres.new")
    password = data_folder.servers / "password"
    shutil.rmtree(draft, ignore_errors=True)
    data_folder.make_private(draft)
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(data_folder.secrets.postgres)
    data_folder.hand_over(password)
    try:
        _run(data_folder, _initdb(programs, draft, password))
        _run(
            data_folder,
            [programs.path("postgres"), "--single", "-D", str(draft), "postgres"],
            f"CREATE DATABASE {DATABASE}",
        )
    finally:
        password.unlink()
    draft.rename(folder)


def _initdb(programs: PostgresPrograms, draft: Path, password: Path) -> list[str]:
    return [
        programs.path("initdb"),
        f"--pgdata={draft}",
        f"--username={USER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        *(BUILTIN_LOCALE if programs.major >= 17 else C_LIBRARY_LOCALE),
        "--no-sync",
        "--no-instructions",
    ]


def _run(data_folder: DataFolder, arguments: list[str], text: str = "") -> None:
    result = subprocess.run(  # noqa: S603
        arguments,
        input=text,
        env=server_environment(),
        cwd=data_folder.servers,
        capture_output=True,
        text=True,
        check=False,
        **subprocess_user(data_folder.user),
    )
    if result.returncode:
        raise StartFailed(f"{Path(arguments[0]).name} failed: {result.stderr.strip() or result.stdout.strip()}")


def _check_version(folder: Path, programs: PostgresPrograms) -> None:
    created_by = (folder / "PG_VERSION").read_text().strip()
    if created_by != str(programs.major):
        raise StartFailed(
            f"The data in {folder} was created by PostgreSQL {created_by}, but this is PostgreSQL {programs.major}. "
            f"Use PostgreSQL {created_by}, or move the data with pg_dump and pg_restore"
        )
