"""Large reads of an account take turns. A request that waits too long is refused in the shape of the surface."""

import asyncio
from dataclasses import replace

import pytest

from app.errors import Refused
from app.heavy_reads import REST, HeavyReads
from app.runtime import Runtime
from tests.support.http import Account, app_on, client_of


async def test_one_account_reads_one_thing_at_a_time_and_others_beside_it() -> None:
    reads, order = HeavyReads(2), list[str]()
    leave = asyncio.Event()

    async def read(account_id: int, name: str) -> None:
        async with reads.turn(account_id):
            order.append(name)
            await leave.wait()

    async with asyncio.TaskGroup() as tasks:
        for account_id, name in ((1, "first"), (1, "second"), (2, "other")):
            tasks.create_task(read(account_id, name))
        async with asyncio.timeout(10):
            while len(order) < 2:
                await asyncio.sleep(0)
        assert order == ["first", "other"]
        leave.set()
    assert order == ["first", "other", "second"]


async def test_an_account_rests_between_reads_only_while_more_of_its_own_wait() -> None:
    reads, loop, took = HeavyReads(2), asyncio.get_running_loop(), 0.1
    turns: list[tuple[float, float]] = []

    async def read(account_id: int) -> None:
        async with reads.turn(account_id):
            began = loop.time()
            await asyncio.sleep(took)
            turns.append((began, loop.time()))

    await asyncio.gather(read(1), read(1))
    (_, ended), (began, _) = turns
    assert began - ended >= took * REST * 0.9
    turns.clear()
    await read(2)
    await read(2)
    (_, ended), (began, _) = turns
    assert began - ended < took


async def test_who_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    reads = HeavyReads(2, patience=0.01)
    async with reads.turn(1):
        with pytest.raises(Refused) as refused:
            async with reads.turn(1):
                pass
    assert (refused.value.code, refused.value.retry_after) == ("too_many_reads", 5)
    async with reads.turn(1), reads.turn(2):
        pass
    assert not reads._lines


async def test_the_next_piece_of_an_answer_waits_as_long_as_it_takes() -> None:
    reads = HeavyReads(1, patience=0.01)
    async with asyncio.TaskGroup() as tasks, reads.turn(1):
        waiting = tasks.create_task(anext_turn(reads))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert waiting.result()


async def anext_turn(reads: HeavyReads) -> bool:
    async with reads.turn(2, begun=True):
        return True


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/records/contacts", {"code": "too_many_reads"}),
        ("/types", {"code": "too_many_reads"}),
        ("/imports/x/problems", {"code": "too_many_reads"}),
        ("/coupon-sets/x", {"code": "too_many_reads"}),
        ("/v2/products", {"errorKey": "TOO_MANY_REQUESTS"}),
        ("/v1/customers", {"code": 429}),
    ],
)
async def test_each_surface_says_in_its_shape_when_to_come_back(
    runtime: Runtime, an_account: Account, path: str, code: dict[str, object]
) -> None:
    reads = HeavyReads(2, patience=0.01)
    app = app_on(runtime)
    app.state.runtime = replace(runtime, heavy_reads=reads)
    async with reads.turn(an_account.id), client_of(app) as client:
        answer = await client.get(path, headers=an_account.headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert code.items() <= answer.json().items()
