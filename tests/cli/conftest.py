"""A running service for the command line, and commands that are run in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from secrets import token_hex

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.embedded import Servers
from tests.support.live import Live, running_live
from tests.support.servers import new_database, redis_number, settings_for

SETTINGS = {"SLUICE_MAX_FILE_BYTES": "2000000", "SLUICE_QUEUE_LIMIT": "2"}

Sluice = Callable[..., Result]


@pytest.fixture(scope="session")
def served(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service that accepts 2 MB and two imports at a time."""
    settings = settings_for(tmp_path_factory.mktemp("cli"), new_database(servers, "cli"), redis_number(servers, 2))
    with ExitStack() as stack:
        # Only while it starts: the fixture lives to the end, and other services must not start with these.
        with pytest.MonkeyPatch.context() as patched:
            for name, value in SETTINGS.items():
                patched.setenv(name, value)
            running = stack.enter_context(running_live(settings))
        yield running


@pytest.fixture
def environment(served: Live) -> dict[str, str]:
    """Variables for commands of an account of this test's own."""
    return {"SLUICE_URL": served.url, "SLUICE_KEY": served.key(f"cli-{token_hex(4)}"), "COLUMNS": "200"}


@pytest.fixture
def sluice(environment: dict[str, str]) -> Sluice:
    """Runs a command for an account of this test's own."""

    def run(*arguments: str, sent: str | None = None, **more: str) -> Result:
        return CliRunner().invoke(cli, list(arguments), input=sent, env=environment | more)

    return run
