"""Child processes that never outlive the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

from app.embedded.errors import StartFailed
from app.embedded.processes import record_pid, stop_recorded_process
from app.embedded.system_user import SystemUser

PR_SET_PDEATHSIG = 1
STDERR = 2
MAX_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start a child. Its process id is kept in `pid_file`; without `log` it writes to our stderr."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    pid_file: Path
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    user: SystemUser | None = None
    folder: Path | None = None
    log: Path | None = None
    text: str = ""  # for its standard input


class SubprocessUser(TypedDict, total=False):
    """The arguments of `subprocess` that change the user; none of them for the current user."""

    user: int
    group: int
    extra_groups: list[int]


class Child:
    """One running process. Start it from the main thread: Linux kills it when the *thread* that started it ends."""

    def __init__(self, command: Command) -> None:
        self.command = command
        stop_recorded_process(command.pid_file, command.stop_signal)
        self.process = _popen(command)
        record_pid(command.pid_file, self.process.pid)

    def exit_code(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        self.process.send_signal(self.command.stop_signal)

    def stop(self, seconds: float) -> int:
        self.ask_to_stop()
        return self.wait_or_kill(seconds)

    def wait_or_kill(self, seconds: float) -> int:
        """Waits so long for a process that was asked to stop, then kills it. Returns its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        self.process.kill()
        return self.process.wait()


def _popen(command: Command) -> subprocess.Popen[bytes]:
    log = _open_log(command.log) if command.log else None
    try:
        process = subprocess.Popen(  # noqa: S603
            command.arguments,
            env=command.environment,
            cwd=command.folder,
            stdin=subprocess.PIPE if command.text else subprocess.DEVNULL,
            # A program without a log of its own says on its stdout only what we say ourselves.
            stdout=log or subprocess.DEVNULL,
            stderr=log or STDERR,
            # Ctrl-C in the terminal reaches every process of its session; the children are stopped by us, in order.
            start_new_session=True,
            # Runs after the change of user, which would undo it.
            preexec_fn=_die_with_parent(os.getpid(), command.orphan_signal),  # noqa: PLW1509  no threads run when we start it
            **subprocess_user(command.user),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StartFailed(f"{command.name} cannot be started: {error}") from error
    finally:
        if log:
            log.close()
    if process.stdin:
        with process.stdin as stdin:
            stdin.write(command.text.encode())
    return process


def subprocess_user(user: SystemUser | None) -> SubprocessUser:
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb")


def _die_with_parent(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        # The parent may have died before the line above: then no signal would come.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return set_death_signal
