"""Servers that may be killed, apart from those that the other tests share."""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.embedded import Servers, run_servers
from tests.faults.arena import Arena, make_template
from tests.faults.nursery import Nursery


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: the exhaustive sweeps, not run by default")


@pytest.fixture(scope="session")
def faulty_servers() -> Iterator[Servers]:
    """One PostgreSQL and one Valkey per test process; a test that kills them brings them back."""
    base = Path(tempfile.mkdtemp(prefix="sluice-faults-"))
    base.chmod(0o711)
    try:
        with run_servers(base / "data") as servers:
            make_template(servers)
            yield servers
            # An orderly end would write out dozens of databases that nobody wants.
            servers.postgres.kill()
            servers.valkey.kill()
    finally:
        remove(base)


def remove(folder: Path) -> None:
    """Servers that were killed may still be tidying up in it."""
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest_asyncio.fixture
async def arena(faulty_servers: Servers, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Arena]:
    arena = Arena(faulty_servers, nursery, tmp_path)
    revive(faulty_servers)
    await arena.open()
    yield arena
    print(arena.told())  # pytest shows it when the test has failed
    revive(faulty_servers)
    await arena.close()


def revive(servers: Servers) -> None:
    """After a test that failed while a server was down."""
    for server in (servers.postgres, servers.valkey):
        if server.child is None or server.child.exit_code() is not None:
            server.start()
