"""Parts of the service as processes, each with an environment and, for older releases, a code of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.embedded import free_port
from app.settings import Settings
from tests.support.servers import PEPPER

ROOT = Path(__file__).resolve().parents[2]


class Parts:
    """Processes on one database, one Redis and one data folder."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        assert settings.database_url is not None
        assert settings.redis_url is not None
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._environment = {
            "SLUICE_DATA": str(settings.data),
            "SLUICE_DATABASE_URL": settings.database_url.get_secret_value(),
            "SLUICE_REDIS_URL": settings.redis_url.get_secret_value(),
            "SLUICE_SECRET_KEY": PEPPER,
        }

    def start(self, name: str, *module: str, code: Path = ROOT, **environment: str) -> subprocess.Popen[bytes]:
        """Runs a module of the code, which logs into a file of this name."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", *module],
                cwd=code,
                env={**inherited, "PYTHONPATH": str(code), **self._environment, **environment},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def start_api(self, name: str, code: Path = ROOT, **environment: str) -> str:
        """Starts an API and returns its address once it answers."""
        port = free_port()
        self.start(name, "app.main", "127.0.0.1", str(port), code=code, **environment)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz"), f"{name} does not answer: {self.log(name)[-2000:]}", 90)
        return url

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@contextmanager
def running_parts(settings: Settings, folder: Path) -> Iterator[Parts]:
    parts = Parts(settings, folder)
    try:
        yield parts
    finally:
        for process in parts.processes:
            process.terminate()
        for process in parts.processes:
            process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(holds: Callable[[], bool], complaint: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)
