"""A run that begins goes before those that have had a turn, and a small one before large ones that begin, but none
before what has waited for long."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.queue.task_queue import HEAD_START, QUEUE, TaskQueue, open_client
from tests.engine.conftest import ImportEngine
from tests.engine.test_slices import contacts
from tests.support.servers import Servers, redis_number

LARGE, OTHER, SMALL = "run-large", "run-other", "run-small"


@pytest.fixture
async def queue(servers: Servers) -> AsyncIterator[TaskQueue]:
    """A queue of its own, in a database of the server that nobody else uses."""
    redis = open_client(redis_number(servers, 13))
    await redis.flushdb()
    yield TaskQueue(redis)
    await redis.flushdb()
    await redis.aclose()


async def list_waiting(queue: TaskQueue) -> list[str]:
    return [job.decode().split(":")[1] for job in await queue._redis.zrange(QUEUE, 0, -1)]


async def test_a_run_that_begins_goes_before_those_that_have_had_a_turn(queue: TaskQueue) -> None:
    await queue.enqueue("write", LARGE, 3)
    await queue.enqueue("write", OTHER, 1)
    await queue.enqueue("write", SMALL, 0)
    assert await list_waiting(queue) == [SMALL, LARGE, OTHER]


async def test_runs_that_begin_go_in_their_order(queue: TaskQueue) -> None:
    await queue.enqueue("write", LARGE, 0)
    await queue.enqueue("write", SMALL, 0)
    assert await list_waiting(queue) == [LARGE, SMALL]


async def test_a_small_run_goes_before_large_ones_that_begin(queue: TaskQueue) -> None:
    await queue.enqueue("write", OTHER, 1)
    await queue.enqueue("write", LARGE, 0)
    await queue.enqueue("write", SMALL, 0, small=True)
    assert await list_waiting(queue) == [SMALL, LARGE, OTHER]


async def test_the_sweeper_takes_no_head_start_away(queue: TaskQueue) -> None:
    await queue.enqueue("write", LARGE, 0)
    await queue.enqueue("write", SMALL, 0, small=True)
    await queue.enqueue("write", SMALL, 0)
    assert await list_waiting(queue) == [SMALL, LARGE]


@pytest.mark.parametrize("small", [False, True])
async def test_what_has_waited_for_long_goes_first(queue: TaskQueue, small: bool) -> None:
    await queue.enqueue("write", LARGE, 3)
    await queue._redis.zincrby(QUEUE, -HEAD_START.total_seconds() * (1 + small) * 1000, f"write:{LARGE}:3")
    await queue.enqueue("write", SMALL, 0, small=small)
    assert await list_waiting(queue) == [LARGE, SMALL]


async def test_imports_of_one_batch_are_small(engine: ImportEngine, queue: TaskQueue) -> None:
    runtime = replace(engine.with_settings(batch_rows=10).runtime, queue=queue)
    account = ImportEngine(runtime, engine.account_id)
    large, small = await account.submit(contacts(11)), await account.submit(contacts(10))
    assert await list_waiting(queue) == [small.id, large.id]
