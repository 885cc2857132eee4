"""Workers come and go: deploys use nothing up, and a file that brings its workers down is stopped."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.runs.model import Run
from tests.faults.arena import Arena, Worker, until
from tests.faults.truth import Ledger, truth
from tests.faults.verdict import assert_true, records, watched

pytestmark = pytest.mark.asyncio


@pytest.mark.timeout(180)
@pytest.mark.parametrize("rolls", [3, pytest.param(20, marks=pytest.mark.slow)])
async def test_deploys_during_one_import_use_up_nothing(arena: Arena, rolls: int) -> None:
    """Rolling: the new worker is there before the old one is asked to go."""
    expected = truth(250 * rolls, bad=0.01)
    run = await arena.stored(expected)
    settings = {"batch_rows": 5, "lease_seconds": 10}
    async with watched(arena, run, expected) as watch:
        old = arena.worker(pace=0.02, **settings)
        for _ in range(rolls):
            await a_batch_more(arena, run)
            new = arena.worker(pace=0.02, **settings)
            await new.is_up()
            assert await old.stopped() == 0
            old = new
        assert (await arena.run(run))["state"] == "running", "the import was over before the last deploy"
        arena.worker(**settings)
        assert await old.stopped() == 0
        await arena.ended(run, patience=90)
        row = await assert_true(arena, run, expected)
    assert watch.crashes == row["crashes"] == 0
    assert row["batches"] == expected.rows / 5


async def a_batch_more(arena: Arena, run: Run) -> None:
    before = (await arena.run(run))["batches"]

    async def more() -> bool:
        return bool((await arena.run(run))["batches"] > before)

    await until(more, "the import does not get on")


@pytest.mark.timeout(180)
async def test_a_file_that_kills_its_workers_fails_with_a_reason_while_another_finishes(arena: Arena) -> None:
    poison, healthy = truth(60), truth(300, seed=2)
    another = await arena.account("another")
    await arena.prepare(healthy, another)
    poisoned = await arena.stored(poison)
    innocent = await arena.submit(healthy.file, another)
    deaths: list[int] = []
    async with supervised(arena, deaths, poison=f"{poisoned.id}:20"), watched(arena, innocent, healthy) as watch:
        row = await arena.ended(poisoned, patience=60)
        meanwhile = await arena.run(innocent)
        await arena.ended(innocent, patience=60)
        await assert_true(arena, innocent, healthy)

    assert (row["state"], row["fail_code"], row["crashes"]) == ("failed", "worker_crashed", 5)
    assert deaths == [-signal.SIGKILL] * 5
    assert watch.crashes <= 1, "the innocent import was held to account for its neighbour"
    assert meanwhile["batches"] > 0, "the innocent import was held up by its neighbour"
    # Batches are written side by side: the third may be past the step that kills before the second is counted.
    assert row["batches"] in (2, 3)
    assert await records(arena, poisoned) == after(poison.before, poison.file, rows=10 * row["batches"])


def after(before: str, file: str, *, rows: int) -> dict[str, dict[str, object]]:
    """The records that the first rows of a file lead to."""
    ledger = Ledger()
    for line in [*before.splitlines()[1:], *file.splitlines()[1 : rows + 1]]:
        ledger.apply(line)
    return ledger.records


@asynccontextmanager
async def supervised(arena: Arena, deaths: list[int], *, poison: str) -> AsyncIterator[None]:
    """Keeps a worker there, whatever becomes of it, and writes down how each ended."""
    keeping = asyncio.create_task(keep(arena, deaths, poison))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def keep(arena: Arena, deaths: list[int], poison: str) -> None:
    while True:
        worker: Worker = arena.worker(poison=poison)
        deaths.append(await worker.ended(patience=100))
