"""Servers, a runtime and a client for all tests; each xdist worker has its own servers, each test its own accounts."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest
from hypothesis import settings
from sqlalchemy import Engine, event

from app.embedded import Servers
from app.observe.logs import configure
from app.runtime import Runtime, open_runtime
from tests.support import http
from tests.support.http import Account
from tests.support.live import Live, running_live
from tests.support.servers import new_database, redis_number, running_servers, settings_for
from tests.support.statements import Watch
from tests.support.sweeps import examples
from tests.transports.servers.server import Certificates

# How long an example takes depends on what else the machine does. Speed belongs to the benchmarks.
settings.register_profile("sluice", deadline=None, max_examples=examples(100))
settings.load_profile("sluice")

# Where -> a fixture that takes seconds. The tests that use it share a worker, so that it is made once.
COSTLY: Final[Mapping[str, str]] = {
    "tests/accidents/test_uploads.py": "struck",
    "tests/attacks/": "live",
    "tests/attacks/test_connections.py": "poor",
    "tests/cli/": "served",
    "tests/cli/test_emulate.py": "emulator",
    "tests/dashboard/": "chromium",
    "tests/dashboard/test_other_accounts.py": "owner",
    "tests/embedded/test_up.py": "running",
    "tests/house/test_docs.py": "built",
    "tests/surfaces/test_isolation.py": "owner",
    "tests/transports/test_markers.py": "house",
}

NewAccount = Callable[..., Awaitable[Account]]
Finish = Callable[[Runtime, str], Awaitable[None]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for place, fixture in COSTLY.items():
            if item.nodeid.startswith(place) and fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(f"{fixture} of {place}"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Without their groups each worker starts what is costly for itself: nothing fails, and everything is slow. What
    has been collected stays, and is no garbage."""
    gc.freeze()
    gc.enable()
    for item in session.items:
        grouped = "PYTEST_XDIST_WORKER" in os.environ and item.get_closest_marker("xdist_group")
        assert not grouped or "@" in item.nodeid, "pytest-xdist does not tell groups to this pytest"


def pytest_configure() -> None:
    # Collecting makes a million objects that stay: looking for garbage among them takes a fifth of the time.
    gc.disable()
    # Tests that run in the background of a shell ignore Ctrl-C, and so would every command that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey, running."""
    with running_servers() as running:
        yield running


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """Of all servers of the tests: some run until the end, and other tests meet them."""
    return Certificates()


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> str:
    """A database on the newest schema that no worker process looks at."""
    return new_database(servers, "tests")


@pytest.fixture(scope="session")
async def runtime(
    servers: Servers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Runtime]:
    """What a process holds open; runs are worked on only when a test does it."""
    configure("info")
    data = tmp_path_factory.mktemp("data")
    async with open_runtime(settings_for(data, database_url, redis_number(servers, 0))) as opened:
        yield opened


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app on `runtime`."""
    async with http.client_of(http.app_on(runtime)) as client:
        yield client


@pytest.fixture
def a_key(runtime: Runtime) -> NewAccount:
    """Makes a key: a_key(scopes=[…], name=…); the account is new unless named."""

    async def make(scopes: list[str] | None = None, name: str | None = None) -> Account:
        return await http.make_account(runtime, scopes, name)

    return make


@pytest.fixture
async def an_account(runtime: Runtime) -> Account:
    """An account of this test alone, with every scope."""
    return await http.make_account(runtime)


@pytest.fixture
def finish() -> Finish:
    """Works on a run in this process until it has ended: finish(runtime, run_id)."""
    return http.finish


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """What is written while the test lasts. An app that `app_on` makes in it logs there, and must not go on
    afterwards."""
    yield capfd
    with capfd.disabled():
        configure("info")


@pytest.fixture(scope="session")
def live(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The API and a worker as processes of their own, on a real socket and a database of their own."""
    data: Path = tmp_path_factory.mktemp("live")
    settings = settings_for(data, new_database(servers, "live"), redis_number(servers, 1))
    with running_live(settings) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def statements() -> Iterator[None]:
    """Fails at the end if a statement names `records` and is not of one account: they could not be divided by it."""
    watch = Watch()
    event.listen(Engine, "before_cursor_execute", watch)
    yield
    event.remove(Engine, "before_cursor_execute", watch)
    assert watch.at_fault == {}
