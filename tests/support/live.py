"""The service as processes on a socket, for what only a socket shows: chunks, slow and broken uploads, real clients."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from app.auth.keys import SCOPES, create_key
from app.cli.options import module_command, module_environment
from app.embedded import free_port
from app.settings import Settings
from app.storage.database import Database
from tests.support.servers import PEPPER

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# The only address of this machine that the service may fetch files from.
SOURCE_HOST = "127.9.9.9"


@dataclass(frozen=True, slots=True)
class Live:
    """A running service. `log` holds what its API wrote."""

    port: int
    settings: Settings
    api: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def memory(self) -> int:
        """Bytes that the API holds in memory at this moment."""
        return int(psutil.Process(self.api.pid).memory_info().rss)

    def stored_files(self) -> list[Path]:
        return [path for path in (self.settings.data / "blobs").rglob("*") if path.is_file()]

    def key(self, account: str) -> str:
        """A new key with every scope. Blocking."""
        return asyncio.run(new_key(self.settings, account))


async def new_key(settings: Settings, account: str) -> str:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        async with database.transaction() as session:
            return await create_key(session, account=account, scopes=list(SCOPES), label="live", pepper=PEPPER)
    finally:
        await database.close()


@contextmanager
def running_live(settings: Settings, *, workers: int = 1, files: int | None = None) -> Iterator[Live]:
    """`files` is how many the API may have open."""
    port, log = free_port(), settings.data / "api.log"
    with log.open("wb") as written:
        processes = [started(settings, ("app.main", HOST, str(port)), written.fileno(), files)]
        processes += [started(settings, ("workers",), subprocess.DEVNULL) for _ in range(workers)]
        try:
            live = Live(port, settings, processes[0], log)
            wait_until_ready(live)
            yield live
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def started(
    settings: Settings, module: tuple[str, ...], errors: int, files: int | None = None
) -> subprocess.Popen[bytes]:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    # As `sluice up` starts its parts.
    environment = module_environment(
        module[0],
        SLUICE_DATA=str(settings.data),
        SLUICE_DATABASE_URL=settings.database_url.get_secret_value(),
        SLUICE_REDIS_URL=settings.redis_url.get_secret_value(),
        SLUICE_SECRET_KEY=PEPPER,
        SLUICE_ALLOW_NETWORKS=f"{SOURCE_HOST}/32",
        SLUICE_UPLOAD_IDLE_SECONDS="2",
        SLUICE_LOG_LEVEL="debug",
    )
    limited = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
    return subprocess.Popen([*limited, *module_command(*module)], cwd=ROOT, env=environment, stderr=errors)


def wait_until_ready(live: Live) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{live.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if live.api.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"The service did not get ready: {live.log.read_text()[-2000:]}")
