"""Runs PostgreSQL from its programs: one cluster in the data folder, on loopback, durable."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

from app.embedded.binaries import PostgresPrograms, postgres_programs
from app.embedded.child import Child, Command, as_account
from app.embedded.data_folder import DataFolder
from app.embedded.errors import CannotStart
from app.embedded.processes import end_left_over, recorded
from app.embedded.server import LOOPBACK, Pause, free_port, server_environment, start

USER = DATABASE = "sluice"
START_PATIENCE, STOP_PATIENCE = 120.0, 30.0

SETTINGS: dict[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    # Imports write in bursts; with the default of 1GB a large one is checkpointed again and again.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # An import is acknowledged once it is committed, so a commit must be on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    # Compiling costs more than it saves for statements as short as ours.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# Sorted by code point and case-folded as Unicode says, without depending on the system's C library; since 17.
BUILTIN_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
C_LIBRARY_LOCALE = ("--locale=C",)


class Postgres:
    """One PostgreSQL server. The port is kept for the life of this object, over any number of restarts."""

    name = "postgres"
    passing_trouble: str | None = "pre-existing shared memory block"

    def __init__(self, place: DataFolder) -> None:
        self._place = place
        self._programs = postgres_programs(place)
        self._folder = place.servers / "postgres"
        self._pid_file = self._folder / "postmaster.pid"
        self.child: Child | None = None
        self.port = free_port()
        self.log = place.log(self.name)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._place.secrets.postgres}@{LOOPBACK}:{self.port}/{DATABASE}"

    def start(self, patience: float = START_PATIENCE, pause: Pause = time.sleep) -> None:
        """Start and wait until it takes queries, crash recovery included. Raises CannotStart."""
        start(self, patience, pause)

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        if self.child:
            self.child.stop(patience)

    def kill(self) -> None:
        """As a crash would: the test of everything that recovers."""
        if self.child:
            self.child.kill()

    def spawn(self) -> None:
        """Begin to start; the data is made on the first start, which takes about half a second."""
        if not self._folder.exists():
            _create_cluster(self._place, self._programs, self._folder)
        _check_version(self._folder, self._programs)
        end_left_over(self._place.record(self.name), signal.SIGINT)
        self._drop_stale_pid_file()
        self.child = Child(self._command())

    def ready(self) -> bool:
        """PostgreSQL writes its state into its pid file, so nobody has to log in to ask."""
        try:
            lines = self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = self.child is not None and lines[:1] == [str(self.child.process.pid)]
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def _drop_stale_pid_file(self) -> None:
        """Forget the pid file of a server of ours that has ended.

        PostgreSQL only asks whether the process id exists, and refuses to start when a zombie or a stranger has it.
        """
        try:
            pid = self._pid_file.read_text().split("\n", 1)[0]
        except FileNotFoundError:
            return
        if pid == str(recorded(self._place.record(self.name))):
            self._pid_file.unlink()

    def _command(self) -> Command:
        settings = {**SETTINGS, "port": str(self.port)}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            arguments=[self._programs.path("postgres"), "-D", str(self._folder), *flags],
            environment=server_environment(),
            record=self._place.record(self.name),
            # "Fast shutdown": sessions are cut off, the data is written out.
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            account=self._place.account,
            folder=self._place.servers,
            log=self.log,
        )


def _create_cluster(place: DataFolder, programs: PostgresPrograms, folder: Path) -> None:
    """Make the data, in a draft folder first: a start that is killed here leaves nothing half-made."""
    draft = folder.with_name("postgres.new")
    password = place.servers / "password"
    shutil.rmtree(draft, ignore_errors=True)
    place.make_private(draft)
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(place.secrets.postgres)
    place.hand_over(password)
    try:
        _run(place, _initdb(programs, draft, password))
        _run(
            place, [programs.path("postgres"), "--single", "-D", str(draft), "postgres"], f"CREATE DATABASE {DATABASE}"
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


def _run(place: DataFolder, arguments: list[str], text: str = "") -> None:
    answer = subprocess.run(  # noqa: S603
        arguments,
        input=text,
        env=server_environment(),
        cwd=place.servers,
        capture_output=True,
        text=True,
        check=False,
        **as_account(place.account),
    )
    if answer.returncode:
        raise CannotStart(f"{Path(arguments[0]).name} failed: {answer.stderr.strip() or answer.stdout.strip()}")


def _check_version(folder: Path, programs: PostgresPrograms) -> None:
    made_by = (folder / "PG_VERSION").read_text().strip()
    if made_by != str(programs.major):
        raise CannotStart(
            f"the data in {folder} was made by PostgreSQL {made_by}, and this is {programs.major}; "
            f"use PostgreSQL {made_by}, or move the data over with pg_dump and pg_restore"
        )
