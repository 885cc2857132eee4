"""Redis behind sentinels: its master is killed under a worker, the replica takes its part, and the import goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.embedded import Servers
from app.embedded.binaries import find_valkey
from app.queue.server import AddressRefused, QueueUnavailable
from app.queue.task_queue import TaskQueue
from app.throttle import RequestCounter
from tests.faults.arena import Arena, until
from tests.faults.conftest import opened
from tests.faults.nursery import Nursery
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, watched
from tests.support.sentinels import HOST, Guarded, running_sentinels

pytestmark = pytest.mark.asyncio

STEPS = {"SliceClaimed": 2, "read": 3, "merged": 3, "committed": 3, "released": 1, "finishing": 1, "finished": 1}


@pytest.fixture
def guarded(faulty_servers: Servers) -> Iterator[Guarded]:
    with running_sentinels(find_valkey(faulty_servers.data_folder)) as running:
        yield running


@pytest_asyncio.fixture
async def guarded_arena(
    faulty_servers: Servers, nursery: Nursery, tmp_path: Path, guarded: Guarded
) -> AsyncIterator[Arena]:
    arena = Arena(faulty_servers, nursery, tmp_path)
    arena.redis_url = guarded.url
    async with opened(arena):
        yield arena


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
async def test_the_master_is_killed_in_mid_import(guarded_arena: Arena, guarded: Guarded, step: str) -> None:
    """Then everything else that speaks to Redis finds the new master, too: the API's queue, its counter of requests."""
    arena, expected, before = guarded_arena, truth(80), guarded.master()
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        worker = arena.worker(f"{step}:{STEPS[step]}:wait")
        await worker.meets_fault()
        guarded.kill_master()
        worker.go_on()
        supervisor = asyncio.create_task(supervise(arena))
        await assert_true(arena, run, expected)
    supervisor.cancel()
    await until(lambda: takes_writes(arena.runtime.queue), "no replica becomes the master")
    assert guarded.master() != before
    assert await RequestCounter(arena.runtime.queue.connections, 2).number("who", 60) == 1


async def takes_writes(queue: TaskQueue) -> bool:
    try:
        await queue.check_writes()
    except QueueUnavailable:
        return False
    return True


async def supervise(arena: Arena) -> None:
    """Starts a worker whenever the last one has ended: ARQ does not survive that Redis goes away."""
    while True:
        await arena.parts[-1].ended(600)
        arena.worker()


async def test_what_is_wrong_with_sentinels_is_said(faulty_servers: Servers) -> None:
    with running_sentinels(find_valkey(faulty_servers.data_folder), replica=False) as alone:
        named = f"{HOST}:1, {HOST}:{alone.port}"
        for wrong, error, told in (
            (("night", "day"), QueueUnavailable, f"the sentinels {named} know no master day that answers"),
            (("of+sentinels", "x"), AddressRefused, f"All that answer of the sentinels {named} want a user"),
            (("of%2Fservers", "x"), AddressRefused, f"Redis at night of the sentinels {named} refuses the user"),
            (("/night/1", "/night/99"), AddressRefused, f"Redis at night of the sentinels {named} does not have"),
        ):
            with pytest.raises(error) as refused:
                await TaskQueue.open(alone.url.replace(*wrong))
            assert told in str(refused.value)
        with pytest.raises(QueueUnavailable, match=r"none of the sentinels 127.0.0.1:1, 127.0.0.1:2 answers"):
            await TaskQueue.open("redis+sentinel://127.0.0.1:1,127.0.0.1:2/night")
