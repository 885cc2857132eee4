"""A process that never outlives the one that started it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

from app.embedded.account import Account
from app.embedded.errors import CannotStart
from app.embedded.processes import end_left_over, remember

PR_SET_PDEATHSIG = 1
STDERR = 2
LOG_LIMIT = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start. `record` is where its process id is kept; without `log` it writes where we write."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    record: Path
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None
    folder: Path | None = None
    log: Path | None = None
    text: str = ""


class SubprocessAccount(TypedDict, total=False):
    """The arguments of `subprocess` that change the account; none of them: stay who we are."""

    user: int
    group: int
    extra_groups: list[int]


class Child:
    """One running process. Start it from the main thread: Linux ends it when the *thread* that started it ends."""

    def __init__(self, command: Command) -> None:
        self.command = command
        end_left_over(command.record, command.stop_signal)
        self.process = _popen(command)
        remember(command.record, self.process.pid)

    def exit_code(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        self.process.send_signal(self.command.stop_signal)

    def stop(self, patience: float) -> int:
        self.ask_to_stop()
        return self.stopped_within(patience)

    def stopped_within(self, patience: float) -> int:
        """Wait for what was asked to stop, and kill what does not listen."""
        try:
            return self.process.wait(patience)
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
            # Without a log of its own, everything goes to our standard error: our standard output is for answers.
            stdout=log or STDERR,
            stderr=log or STDERR,
            # A Ctrl-C in the terminal reaches every process of the session; these are stopped by us, in order.
            start_new_session=True,
            # Runs after the change of account, which would undo it.
            preexec_fn=_die_with(os.getpid(), command.orphan_signal),  # noqa: PLW1509 – no threads where we start
            **as_account(command.account),
        )
    except (OSError, subprocess.SubprocessError) as trouble:
        raise CannotStart(f"{command.name} cannot be started: {trouble}") from trouble
    finally:
        if log:
            log.close()
    if process.stdin:
        with process.stdin as stdin:
            stdin.write(command.text.encode())
    return process


def as_account(account: Account | None) -> SubprocessAccount:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb")


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        # The parent may have died before the line above; nobody would tell us any more.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_the_kernel
