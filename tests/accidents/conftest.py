"""The engine of the tests beside it, for accidents that happen to it, and a service of a test's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

import pytest

from app.embedded import Servers
from app.runtime import Runtime, open_runtime
from tests.engine.conftest import engine
from tests.support.servers import new_database, redis_number, settings_for

__all__ = ["engine"]

NUMBER = 10  # of Valkey's database


@pytest.fixture
async def alone(servers: Servers, tmp_path: Path) -> AsyncIterator[Runtime]:
    """What a process holds open, on a database of this test alone."""
    url = await asyncio.to_thread(new_database, servers, f"accident_{token_hex(4)}")
    data = tmp_path / "data"
    data.mkdir()
    async with open_runtime(settings_for(data, url, redis_number(servers, NUMBER))) as runtime:
        yield runtime
