"""Servers that may be killed, apart from those that the other tests share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from app.embedded import Servers
from tests.faults.arena import Arena
from tests.faults.nursery import Nursery
from tests.support.servers import running_servers


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: the exhaustive sweeps, not run by default")


@pytest.fixture(scope="session")
def faulty_servers() -> Iterator[Servers]:
    """One PostgreSQL and one Valkey per test process; a test that kills them brings them back."""
    with running_servers() as running:
        yield running


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest_asyncio.fixture
async def arena(faulty_servers: Servers, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Arena]:
    async with opened(Arena(faulty_servers, nursery, tmp_path)) as arena:
        yield arena


@asynccontextmanager
async def opened(arena: Arena) -> AsyncIterator[Arena]:
    revive(arena.servers)
    await arena.open()
    yield arena
    print(arena.told())  # pytest shows it when the test has failed
    revive(arena.servers)
    await arena.close()


def revive(servers: Servers) -> None:
    """After a test that failed while a server was down."""
    for server in (servers.postgres, servers.valkey):
        if server.child is None or server.child.exit_code() is not None:
            server.start()
