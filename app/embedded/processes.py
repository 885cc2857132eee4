"""Which process is which: a process id alone may have been given to somebody else since."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PAUSE = 0.02


def identity(pid: int) -> str | None:
    """When the process began, as the system tells it; None when it has ended (a zombie has ended too)."""
    return _identity_from_proc(pid) if sys.platform == "linux" else _identity_from_ps(pid)


def _identity_from_proc(pid: int) -> str | None:
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may hold anything; state and start time come after it.
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _identity_from_ps(pid: int) -> str | None:
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    state, _, began = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def remember(record: Path, pid: int) -> None:
    """Write down who this is, for those who come after it was killed."""
    record.write_text(f"{pid} {identity(pid) or ''}")


def recorded(record: Path) -> int | None:
    """The process that was written down last, whether it still exists or not."""
    return _read(record)[0]


def left_over(record: Path) -> int | None:
    """The process that was written down last, if it is still there and still the same."""
    pid, began = _read(record)
    return pid if pid and began and identity(pid) == began else None


def _read(record: Path) -> tuple[int | None, str]:
    try:
        pid, _, began = record.read_text().partition(" ")
    except FileNotFoundError:
        return None, ""
    return int(pid) if pid.isdigit() else None, began


def end_left_over(record: Path, ask: signal.Signals, patience: float = 30.0) -> None:
    """End the process of an earlier start. Only whoever holds the lock of the data folder may do so."""
    pid = left_over(record)
    if pid is None:
        return
    for number, limit in ((ask, patience), (signal.SIGKILL, 5.0)):
        _send(pid, number)
        if _gone_within(record, limit):
            return


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone_within(record: Path, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while left_over(record) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
