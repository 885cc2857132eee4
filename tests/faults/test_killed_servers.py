"""PostgreSQL and Valkey are killed under a worker at each of its steps, and the import goes on."""

import pytest
from redis.asyncio import Redis

from tests.faults.arena import Arena
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, watched
from tests.support.sweeps import few, few_or_all

pytestmark = pytest.mark.asyncio

# One after the other within one import; a batch is committed between any two, so no crash follows a crash.
STEPS = {
    "SliceClaimed": 1,
    "read": 2,
    "staged": 2,
    "merged": 2,
    "ledger": 2,
    "accounted": 2,
    "committed": 2,
    "released": 1,
    "finishing": 1,
    "finished": 1,
}
ROWS = 240


@pytest.mark.timeout(180)
@few_or_all(STEPS, ("merged", "committed", "finishing"))
async def test_postgresql_is_killed_at_steps_of_one_import(arena: Arena, steps: tuple[str, ...]) -> None:
    expected = truth(ROWS)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        worker = arena.worker(",".join(f"{step}:{nth}:wait" for step, nth in STEPS.items() if step in steps))
        for number in range(1, len(steps) + 1):
            await worker.meets_fault(number)
            arena.servers.postgres.kill()
            worker.go_on()
            arena.servers.postgres.start()
        await assert_true(arena, run, expected)
    assert await worker.stopped() == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", STEPS)
async def test_postgresql_is_killed_at_every_occurrence_of_a_step(arena: Arena, step: str) -> None:
    nth, met = 1, True
    while met:
        expected = truth(60, seed=nth)
        run = await arena.stored(expected)
        async with watched(arena, run, expected):
            worker = arena.worker(f"{step}:{nth}:wait")
            met = await worker.meets_fault_or_finishes(arena, run)
            if met:
                arena.servers.postgres.kill()
                worker.go_on()
                arena.servers.postgres.start()
            await assert_true(arena, run, expected)
        await arena.renew()
        nth += 1
    assert nth > 2


@pytest.mark.timeout(180)
@pytest.mark.parametrize("steps", [[*STEPS][:-1], ["finished"]], ids=["up to the end", "behind the end"])
async def test_valkey_is_killed_at_every_step_and_a_supervisor_starts_the_worker_again(
    arena: Arena, steps: list[str]
) -> None:
    """ARQ does not survive its server: the worker must end with code 1, having let its slice finish."""
    expected = truth(ROWS)
    run = await arena.stored(expected)
    async with watched(arena, run, expected) as watch:
        for step in steps:
            worker = arena.worker(f"{step}:{STEPS[step]}:wait")
            await worker.meets_fault()
            arena.servers.valkey.kill()
            worker.go_on()
            assert await worker.ended() == 1
            arena.servers.valkey.start()
        arena.worker()
        await assert_true(arena, run, expected)
    assert watch.crashes == 0


@pytest.mark.parametrize("step", few(["SliceClaimed", "committed", "released"], ("committed",)))
async def test_all_of_valkey_is_emptied_at_a_step(arena: Arena, step: str) -> None:
    expected = truth(80)
    run = await arena.stored(expected)
    async with watched(arena, run, expected) as watch:
        worker = arena.worker(f"{step}:1:wait")
        await worker.meets_fault()
        await arena.flush_valkey()
        worker.go_on()
        await assert_true(arena, run, expected)
    assert watch.crashes == 0


async def test_all_of_valkey_is_emptied_before_a_worker_saw_the_import(arena: Arena) -> None:
    expected = truth(40)
    run = await arena.stored(expected)
    await arena.flush_valkey()
    arena.worker()
    await assert_true(arena, run, expected)


async def test_an_import_accepted_while_valkey_is_down_is_worked_on_when_it_is_back(arena: Arena) -> None:
    expected = truth(40)
    await arena.prepare(expected)
    arena.servers.valkey.kill()

    run = await arena.submit(expected.file)

    arena.servers.valkey.start()
    async with Redis.from_url(arena.servers.redis_url) as redis:
        assert not [job async for job in redis.scan_iter(f"*{run.id}*")], "there was no ring to be lost"
    arena.worker()
    await assert_true(arena, run, expected)
