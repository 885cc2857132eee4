"""Which tasks a worker takes from the queue: no slice that would wait here for its turn."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from operator import eq
from typing import Any

import pytest
from arq.constants import in_progress_key_prefix
from pydantic import SecretStr
from redis.asyncio import Redis

from app.queue.task_queue import TaskQueue
from app.queue.tasks import TASKS
from app.runtime import Runtime
from tests.support.servers import Servers, redis_number
from workers.settings import build_worker

SLICE, TRANSFER = "import_slice", "import_fetch"
TURNS = 2


class Tasks:
    """Functions in place of the real ones: each run stays under way until it is let go."""

    def __init__(self) -> None:
        self.begun = list[str]()
        self._held = dict[str, asyncio.Event]()

    def functions(self) -> dict[str, Any]:
        return {task.name: self._hold for task in TASKS.values()}

    async def _hold(self, ctx: dict[Any, Any], run_id: str) -> None:
        self.begun.append(run_id)
        self._held[run_id] = asyncio.Event()
        await self._held[run_id].wait()

    def let_go(self, run_id: str) -> None:
        self._held[run_id].set()

    def let_all_go(self) -> None:
        for held in self._held.values():
            held.set()

    async def until(self, holds: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds(self.begun):
                await asyncio.sleep(0.005)


@asynccontextmanager
async def working(runtime: Runtime, *, poll_seconds: float = 0.02) -> AsyncIterator[Tasks]:
    """A worker process's worker, without housekeeping."""
    tasks = Tasks()
    worker = build_worker(runtime, tasks.functions())
    worker.on_startup = worker.on_shutdown = None
    worker.poll_delay_s = poll_seconds
    running = asyncio.create_task(worker.main())
    try:
        yield tasks
    finally:
        worker.allow_pick_jobs = False
        tasks.let_all_go()
        await asyncio.gather(*worker.tasks.values())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.pool.aclose(close_connection_pool=True)


@pytest.fixture
async def apart(runtime: Runtime, servers: Servers) -> AsyncIterator[Runtime]:
    """With a queue of its own: in that of the tests there are imports that nobody works on."""
    url = redis_number(servers, 15)
    queue = await TaskQueue.open(url)
    settings = runtime.settings.model_copy(
        update={"redis_url": SecretStr(url), "slices_at_once": TURNS, "fetches_at_once": 4}
    )
    yield replace(runtime, settings=settings, queue=queue)
    await Redis(connection_pool=queue.connections).flushdb()
    await queue.close()


@pytest.fixture
async def large(apart: Runtime) -> list[str]:
    """Nine large imports that have had a turn and wait for the next."""
    runs = [f"large-{number}" for number in range(9)]
    for run in runs:
        await apart.queue.enqueue(SLICE, run, 1)
    return runs


async def test_slices_that_have_no_turn_stay_for_other_workers(apart: Runtime, large: list[str]) -> None:
    async with working(apart) as one, working(apart) as other:
        await one.until(lambda begun: len(begun) == TURNS)
        await other.until(lambda begun: len(begun) == TURNS)
        assert sorted([*one.begun, *other.begun]) == large[: 2 * TURNS]


async def test_a_small_import_has_the_next_turn(apart: Runtime, large: list[str]) -> None:
    async with working(apart) as tasks:
        await tasks.until(lambda begun: begun == large[:TURNS])
        await apart.queue.enqueue(SLICE, "small", 0, small=True)
        # A transfer needs no turn. When it has begun the queue was read with the small import in it.
        await apart.queue.enqueue(TRANSFER, "file", 0)
        await tasks.until(lambda begun: "file" in begun)
        assert tasks.begun == [*large[:TURNS], "file"]
        tasks.let_go(large[1])
        await tasks.until(lambda begun: len(begun) == TURNS + 2)
        assert tasks.begun[-1] == "small"
        tasks.let_go("small")
        await tasks.until(lambda begun: begun[-1] == large[TURNS])


async def test_a_turn_that_gets_free_is_filled_before_the_queue_is_read_the_next_time(
    apart: Runtime, large: list[str]
) -> None:
    async with working(apart, poll_seconds=3_600) as tasks:
        for number, run in enumerate(large[:-TURNS]):
            await tasks.until(partial(eq, large[: number + TURNS]))
            tasks.let_go(run)
        await tasks.until(partial(eq, large))


async def test_a_slice_that_takes_longer_than_its_lock_is_begun_once(apart: Runtime) -> None:
    brief = replace(apart, settings=apart.settings.model_copy(update={"lease_seconds": 0.05}))
    redis = Redis(connection_pool=apart.queue.connections)
    await apart.queue.enqueue(SLICE, "alone", 1)
    async with working(brief) as tasks:
        await tasks.until(lambda begun: begun == ["alone"])
        async with asyncio.timeout(10):
            while await redis.keys(f"{in_progress_key_prefix}*"):
                await asyncio.sleep(0.005)
        await apart.queue.enqueue(TRANSFER, "file", 0)
        await tasks.until(lambda begun: "file" in begun)
        assert tasks.begun == ["alone", "file"]
