"""Starts processes at once: `python -m tests.faults.nursery` has imported all they need and forks them on demand.

Orders come as JSON lines on standard input (part, environment, log); the answer is the process id. How a process ended
is written beside its log, as subprocess would tell it: the exit code, or the signal's number with a minus.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from app.main import main as serve
from tests.faults import ftp_server
from tests.faults.worker import main, work

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parents[2]


def worker() -> int:
    return main(work)


def api() -> int:
    return serve("127.0.0.1", int(os.environ["FAULTS_PORT"]))


PARTS = {"worker": worker, "api": api, "ftp": ftp_server.serve}


class Nursery:
    """The test's end: the process that forks."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    def start(self, part: str, environment: dict[str, str], log: Path) -> int:
        """Starts one of PARTS and returns its process id."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([part, environment, str(log)]) + "\n")
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """Ends it, and with it every process that is left."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def ending(log: Path) -> int | None:
    """How the process with that log ended; None while it lives."""
    try:
        return int(log.with_suffix(".exit").read_text())
    except FileNotFoundError:
        return None


def nurse() -> None:
    """Takes orders until nobody can give any, and notes who has ended."""
    logs: dict[int, Path] = {}
    while True:
        if select.select([sys.stdin], [], [], 0.01)[0]:
            order = sys.stdin.readline()
            if not order:
                return
            part, environment, log = json.loads(order)
            pid = born(part, environment, log)
            logs[pid] = Path(log)
            print(pid, flush=True)
        note_endings(logs)


def note_endings(logs: dict[int, Path]) -> None:
    while logs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        log = logs.pop(pid)
        draft = log.with_suffix(".ending")
        draft.write_text(str(os.waitstatus_to_exitcode(status)))
        draft.rename(log.with_suffix(".exit"))


def born(part: str, environment: dict[str, str], log: str) -> int:
    """Forks; the child does what its part does when started as a program."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        os.setsid()
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, file), (2, file)):
            os.dup2(source, number)
        os.environ.clear()
        os.environ.update(environment)
        code = PARTS[part]()
    except BaseException:  # noqa: BLE001  nothing of the parent's may go on in the child
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    nurse()
