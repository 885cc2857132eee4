"""A data folder that the servers' account can reach, and ways to ask the servers."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from redis import Redis

from tests.embedded.asking import Alive, Ask, Eventually, Query


@pytest.fixture
def data() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Not pytest's own folder: that is closed to others, which root's servers are (see test_reach)."""
    base = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    base.chmod(0o711)
    yield base / "data"
    wait(lambda: removed(base), 15)


def removed(folder: Path) -> bool:
    """False while a server whose owner was killed still tidies up in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@pytest.fixture(scope="session")
def query() -> Query:
    """Runs one statement: query(url, sql)."""

    async def run(url: str, sql: str) -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return lambda url, sql: asyncio.run(run(url, sql))


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Runs one command: ask(url, "GET", "key")."""

    def run(url: str, *command: str) -> Any:
        with Redis.from_url(url, decode_responses=True) as client:
            return client.execute_command(*command)

    return run


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Waits until a condition holds, and fails when it does not in time."""
    return wait


def wait(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def alive() -> Alive:
    """Whether a process runs. One that has ended and was not reaped (a zombie) does not."""

    def check(pid: int) -> bool:
        try:
            return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    return check
