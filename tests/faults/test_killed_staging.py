"""A worker or PostgreSQL dies at the steps of a replacement: readers see the old records or the new ones."""

import signal
from contextlib import suppress
from dataclasses import replace

import pytest

from app.runs.deletion import sweep_overlays
from app.runs.model import Run
from app.storage.applying.closing import OVERLAYS
from app.storage.database import DatabaseUnavailable
from tests.faults.arena import Arena, until
from tests.faults.truth import Truth, truth
from tests.faults.verdict import assert_true, watched
from tests.support.sweeps import few_or_all

pytestmark = pytest.mark.asyncio

# Steps, and at which of their occurrences in one import.
STEPS = {
    "staged": 2,
    "merged": 2,
    "accounted": 2,
    "committed": 2,
    "finishing": 1,
    "staging finished": 1,
    "closed": 1,
    "applied": 1,
    "finished": 1,
}
ROWS = 120


@pytest.mark.timeout(120)
async def test_a_worker_killed_at_one_step_after_the_other_of_a_replacement(arena: Arena) -> None:
    expected = build_truth()
    run = await arena.replacement(expected)
    async with watched(arena, run, expected, staged=True):
        for step in ("staging finished", "applied", "finished"):
            assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
        await assert_replaced(arena, run, expected)


@pytest.mark.timeout(180)
@few_or_all(STEPS, ("accounted", "applied"))
async def test_postgresql_killed_at_one_step_after_the_other_of_a_replacement(
    arena: Arena, steps: tuple[str, ...]
) -> None:
    expected = build_truth()
    run = await arena.replacement(expected)
    async with watched(arena, run, expected, staged=True):
        worker = arena.worker(",".join(f"{step}:{STEPS[step]}:wait" for step in steps))
        for number in range(1, len(steps) + 1):
            await worker.meets_fault(number)
            arena.servers.postgres.kill()
            worker.go_on()
            arena.servers.postgres.start()
        await assert_replaced(arena, run, expected)
    assert await worker.stopped() == 0


@pytest.mark.timeout(120)
async def test_a_worker_frozen_while_it_applies_a_replacement_writes_nothing_when_it_thaws(arena: Arena) -> None:
    """Imports of the type wait for it until PostgreSQL ends its transaction."""
    expected = build_truth()
    run = await arena.replacement(expected)
    async with watched(arena, run, expected, staged=True):
        zombie = arena.worker("applied:1:stop")
        await zombie.is_frozen()
        arena.worker()
        await assert_replaced(arena, run, expected)
        zombie.thaw()
        await until(lambda: "RunPostponed" in " ".join(zombie.trace()), "the zombie does not give up")
        assert await zombie.stopped() == 0
        await assert_replaced(arena, run, expected)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_at_every_occurrence_of_a_step_of_a_replacement(arena: Arena, step: str) -> None:
    nth, killed = 1, True
    while killed:
        expected = build_truth(seed=nth)
        run = await arena.replacement(expected)
        async with watched(arena, run, expected, staged=True):
            first = arena.worker(f"{step}:{nth}:kill")
            await first.ends_or_ends(arena, run)
            killed = first.exit_code == -signal.SIGKILL
            if killed:
                arena.worker()
            await assert_replaced(arena, run, expected)
        await arena.renew()
        nth += 1
    assert nth > 2


def build_truth(seed: int = 1) -> Truth:
    """What is stored afterwards is what the rows have named: of the others nothing stays."""
    expected = truth(ROWS, seed=seed)
    named = {line.split(",")[0] for line in expected.file.splitlines()}
    return replace(expected, records={key: data for key, data in expected.records.items() if key in named})


async def assert_replaced(arena: Arena, run: Run, expected: Truth) -> None:
    row = await assert_true(arena, run, expected)
    assert row["removed"] == expected.known_before + expected.counts["created"] - len(expected.records) > 0
    with suppress(DatabaseUnavailable):  # the connections of this process may be those to the server that was killed
        await sweep_overlays(arena.runtime)
    await sweep_overlays(arena.runtime)
    assert [await arena.ask(f"SELECT FROM {table}") for table in OVERLAYS] == [[], [], []]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_worker_killed_at_one_step_after_the_other_of_an_import_that_deletes(arena: Arena) -> None:
    """Nothing is gone before it ends, and then what its rows name and nothing else."""
    expected = build_truth()
    await arena.prepare(expected)
    stored = "SELECT key, data::text, updated_at FROM records WHERE account_id = $1 ORDER BY key"
    before = await arena.ask(stored, arena.account_id)
    gone = [row["key"] for row in before[::2]]
    run = await arena.submit("_email\n" + "\n".join([*gone, "nobody@example.com"]) + "\n", deletes=True)
    for step in ("staged", "merged", "accounted", "committed", "finishing", "staging finished", "closed", "applied"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
        assert await arena.ask(stored, arena.account_id) == before, step
    arena.worker()
    row = await arena.ended(run)
    assert (row["state"], row["updated"], row["unchanged"], row["failed"]) == ("finished", len(gone), 1, 0)
    assert await arena.ask(stored, arena.account_id) == before[1::2]
