"""A worker is killed at each step of a slice, and another one ends what it began."""

import signal

import pytest

from tests.faults.arena import Arena
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, watched
from tests.support.sweeps import few

pytestmark = pytest.mark.asyncio

ROWS = 80
# The step, and at which of its occurrences: in the middle of the file where there is one.
ONCE = {
    "SliceClaimed": 2,
    "read": 3,
    "staged": 3,
    "merged": 3,
    "ledger": 3,
    "accounted": 3,
    "committed": 3,
    "finishing": 1,
    "finished": 1,
    "released": 1,
}


@pytest.mark.parametrize("step", few(ONCE, ("committed",)))
async def test_a_killed_worker_loses_no_row_and_counts_none_twice(arena: Arena, step: str) -> None:
    assert await killed_at(arena, step, ONCE[step])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", ONCE)
async def test_a_worker_killed_at_every_occurrence_of_a_step(arena: Arena, step: str) -> None:
    """SQLite's method: fail the n-th time, for n = 1, 2, 3 … until the import gets through without."""
    nth = 1
    while await killed_at(arena, step, nth):
        nth += 1
        await arena.renew()
    assert nth > 1


async def killed_at(arena: Arena, step: str, nth: int) -> bool:
    """Whether the fault was met at all; either way everything must be true at the end."""
    expected = truth(ROWS, seed=nth)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        first = arena.worker(f"{step}:{nth}:kill")
        await first.ends_or_ends(arena, run)
        killed = first.exit_code == -signal.SIGKILL
        if killed:
            arena.worker()
        row = await assert_true(arena, run, expected)
    assert row["crashes"] == 0
    return killed


@pytest.mark.timeout(120)
async def test_a_worker_killed_at_one_step_after_the_other_in_one_import(arena: Arena) -> None:
    """Every worker dies; each gets further than the one before it."""
    expected = truth(150, seed=7)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        for step in ("merged", "accounted", "committed", "ledger"):
            assert await arena.worker(f"{step}:2:kill").ended() == -signal.SIGKILL
        arena.worker()
        await assert_true(arena, run, expected)
