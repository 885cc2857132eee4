"""A worker is killed at each step of fetching a file, and another one brings the import to its end."""

import signal
from collections.abc import AsyncIterator

import pytest

from app.transports.transport import CHUNK
from tests.faults.arena import Arena, until
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, watched
from tests.support.sweeps import few
from tests.transports.servers.http import HttpServer, http_server

pytestmark = pytest.mark.asyncio

ROWS = 80
# The step, and at which of its occurrences.
STEPS = {"SliceClaimed": 1, "arriving": 3, "fetched": 1, "examined": 1, "kept": 1, "settled": 1, "read": 2}
PADDING = 3 * CHUNK  # the file comes in several pieces


@pytest.fixture
async def web() -> AsyncIterator[HttpServer]:
    async with http_server(None) as running:
        yield running


@pytest.mark.parametrize("step", few(STEPS, ("arriving", "settled")))
async def test_a_worker_killed_while_it_fetches_loses_nothing(arena: Arena, web: HttpServer, step: str) -> None:
    expected = truth(ROWS, seed=STEPS[step])
    await web.store("file.csv", expected.file.encode() + b"\n" * PADDING)
    await arena.prepare(expected)
    run = await arena.pull(web.remote, "file.csv")
    async with watched(arena, run, expected):
        first = arena.worker(f"{step}:{STEPS[step]}:kill")
        assert await first.ended() == -signal.SIGKILL
        arena.worker()
        row = await assert_true(arena, run, expected)
    assert (row["secret"], row["fetches"], row["crashes"]) == (None, 0, 0)
    assert row["fetched_bytes"] == row["file_bytes"] == len(expected.file) + PADDING


@pytest.mark.parametrize("step", few(["arriving", "kept"], ("arriving",)))
async def test_a_worker_frozen_while_it_fetches_moves_nothing_when_it_thaws(
    arena: Arena, web: HttpServer, step: str
) -> None:
    expected = truth(ROWS)
    await web.store("file.csv", expected.file.encode() + b"\n" * PADDING)
    await arena.prepare(expected)
    run = await arena.pull(web.remote, "file.csv")
    async with watched(arena, run, expected):
        zombie = arena.worker(f"{step}:1:stop")
        await zombie.is_frozen()
        arena.worker()
        row = await assert_true(arena, run, expected)
        zombie.thaw()
        assert await zombie.stopped() == 0
        assert await arena.run(run) == row

    # What it had fetched is not left behind.
    known = {each["blob"] for each in await arena.ask("SELECT blob FROM runs")}
    stored = arena.folder / "blobs" / "stored"
    await until(lambda: {path.name for path in stored.glob("*/*")} == known, "another file is left behind")
