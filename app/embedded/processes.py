"""Identifies processes by id and start time: the id alone may belong to another process by now."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.02


def process_identity(pid: int) -> str | None:
    """When the process started, as the system reports it; None if it has ended, which includes zombies."""
    return _read_proc(pid) if sys.platform == "linux" else _ask_ps(pid)


def _read_proc(pid: int) -> str | None:
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may hold anything. State and start time follow it.
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _ask_ps(pid: int) -> str | None:
    output = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    state, _, started = output.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def record_pid(pid_file: Path, pid: int) -> None:
    """Writes id and start time of a process into a file, for the next start after a kill."""
    pid_file.write_text(f"{pid} {process_identity(pid) or ''}")


def read_pid(pid_file: Path) -> int | None:
    """The id of the process recorded last, whether or not it still exists."""
    return _read_record(pid_file)[0]


def find_live_process(pid_file: Path) -> int | None:
    """The id of the process recorded last, if it still runs and is still the same process."""
    pid, started = _read_record(pid_file)
    return pid if pid and started and process_identity(pid) == started else None


def _read_record(pid_file: Path) -> tuple[int | None, str]:
    try:
        pid, _, started = pid_file.read_text().partition(" ")
    except FileNotFoundError:
        return None, ""
    return int(pid) if pid.isdigit() else None, started


def stop_recorded_process(pid_file: Path, stop_signal: signal.Signals, seconds: float = 30.0) -> None:
    """Ends the process of an earlier start. The caller must hold the lock of the data folder."""
    pid = find_live_process(pid_file)
    if pid is None:
        return
    for number, limit in ((stop_signal, seconds), (signal.SIGKILL, 5.0)):
        _send(pid, number)
        if _ends_within(pid_file, limit):
            return


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _ends_within(pid_file: Path, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while find_live_process(pid_file) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
