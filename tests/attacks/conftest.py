"""A running service for attacks alone: what they do to its memory must not be measured by other tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import Servers
from tests.support.crowd import HOSTILE, Crowd
from tests.support.live import Live, running_live
from tests.support.servers import new_database, redis_number, settings_for


@pytest.fixture(scope="session")
def live(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data: Path = tmp_path_factory.mktemp("attacked")
    settings = settings_for(data, new_database(servers, "attacked"), redis_number(servers, 12))
    with running_live(settings) as running:
        yield running


@pytest.fixture(scope="session")
def crowd(live: Live) -> Crowd:
    """A hostile account and another one."""
    return Crowd(live, live.key(HOSTILE), live.key("crowd-other"))
