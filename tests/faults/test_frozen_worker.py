"""A worker freezes at each step, another one ends its import, and when it thaws it moves nothing any more."""

import signal
from collections.abc import Sequence
from typing import Any

import pytest

from app.runs.model import Run
from tests.faults.arena import Arena, until
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, watched
from tests.support.sweeps import few

pytestmark = pytest.mark.asyncio

ROWS = 80
BEFORE_A_COMMIT = {
    "SliceClaimed": 2,
    "read": 3,
    "staged": 3,
    "merged": 3,
    "ledger": 3,
    "accounted": 3,
    "finishing": 1,
}
GIVEN_UP = {"LeaseLost", "RunPostponed", "SliceFailed", "released"}
LONG = 120_000


@pytest.mark.parametrize("step", few(BEFORE_A_COMMIT, ("merged",)))
async def test_a_worker_frozen_past_its_lease_moves_nothing_when_it_thaws(arena: Arena, step: str) -> None:
    await thawed_late(arena, step, BEFORE_A_COMMIT[step])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("step", [step for step in BEFORE_A_COMMIT if step not in ("SliceClaimed", "finishing")])
async def test_a_worker_frozen_at_every_batch_moves_nothing_when_it_thaws(arena: Arena, step: str) -> None:
    for nth in range(1, ROWS // 10 + 1):
        await thawed_late(arena, step, nth)
        await arena.renew()


async def thawed_late(arena: Arena, step: str, nth: int) -> None:
    expected = truth(ROWS, seed=nth)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        zombie = arena.worker(f"{step}:{nth}:stop")
        await zombie.is_frozen()
        arena.worker()
        await assert_true(arena, run, expected)
        before = await everything(arena, run)

        zombie.thaw()

        await until(lambda: bool(GIVEN_UP & since_the_fault(zombie.trace())), "the zombie does not give up")
        assert await zombie.stopped() == 0
        assert await everything(arena, run) == before


@pytest.mark.parametrize("step", few(["read", "staged"], ("staged",)))
async def test_a_zombie_that_thaws_amid_its_heirs_work_counts_no_batch_a_second_time(arena: Arena, step: str) -> None:
    """Rows are still to come, so that one batch more would not even make the counts exceed the total. The zombie stops
    at its first batch, before any is merged: it holds no lock for which its heir would have to wait."""
    expected = truth(ROWS)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        zombie = arena.worker(f"{step}:1:stop", idle_ms=LONG)
        await zombie.is_frozen()
        heir = arena.worker("committed:2:wait")
        await heir.meets_fault()

        zombie.thaw()

        await until(lambda: bool(GIVEN_UP & since_the_fault(zombie.trace())), "the zombie does not give up")
        heir.go_on()
        await assert_true(arena, run, expected)


@pytest.mark.parametrize("step", few(["merged", "ledger"], ("ledger",)))
async def test_a_zombie_that_still_holds_its_locks_commits_nothing(arena: Arena, step: str) -> None:
    """Its transaction is open, its heir waits for its locks: only the fence stands between it and the counts."""
    expected = truth(ROWS)
    run = await arena.stored(expected)
    async with watched(arena, run, expected):
        zombie = arena.worker(f"{step}:3:stop", idle_ms=LONG)
        await zombie.is_frozen()
        fence, its_own = (await arena.run(run))["attempt"], await sessions(arena)
        arena.worker(idle_ms=LONG)
        # The zombie's next batch may wait for its last one, too.
        await until(lambda: somebody_waits(arena, besides=its_own), "the heir does not come to the zombie's batch")

        zombie.thaw()

        await assert_true(arena, run, expected)
    batch = await arena.ask("SELECT attempt FROM batches WHERE run_id = $1 AND number = 3", run.id)
    assert batch[0]["attempt"] > fence, "the batch was committed by a worker that had lost the run"
    assert "LeaseLost" in since_the_fault(zombie.trace())


async def test_a_run_whose_row_a_frozen_worker_has_locked_keeps_no_other_from_being_rescued(arena: Arena) -> None:
    expected, others = truth(ROWS), truth(ROWS, seed=2)
    run = await arena.stored(expected)
    zombie = arena.worker("accounted:2:stop", idle_ms=LONG)
    await zombie.is_frozen()
    other = await arena.stored(others, await arena.account("another"))
    assert await arena.worker("merged:2:kill").ended() == -signal.SIGKILL

    arena.worker()

    await assert_true(arena, other, others)
    assert (await arena.run(run))["state"] == "running"
    zombie.thaw()
    await assert_true(arena, run, expected)


async def test_a_worker_that_dies_between_the_queue_and_the_claim_holds_its_run_up_no_longer_than_a_lease(
    arena: Arena,
) -> None:
    """ARQ has locked the job by then, and would keep it locked for minutes."""
    expected = truth(ROWS)
    run = await arena.stored(expected)
    holder = await arena.connect()
    async with holder.transaction():
        await holder.execute("SELECT FROM runs WHERE id = $1 FOR UPDATE", run.id)
        doomed = arena.worker()
        await until(lambda: somebody_waits(arena), "the worker does not come to its claim")
        doomed.end()
        assert await doomed.ended() == -signal.SIGKILL
        await arena.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    await holder.close()

    arena.worker()

    row = await arena.ended(run, patience=10)
    assert row["crashes"] == 0
    await assert_true(arena, run, expected)


def since_the_fault(trace: list[str]) -> set[str]:
    return {line.split()[0] for line in trace[trace.index("FAULT stop") + 1 :]}


async def sessions(arena: Arena) -> list[int]:
    found = await arena.ask("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return [row["pid"] for row in found]


async def somebody_waits(arena: Arena, besides: Sequence[int] = ()) -> bool:
    """Whether a session waits for a lock, other than these."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND pid <> ALL($1::int[])"
    )
    return bool(await arena.ask(waiting, list(besides)))


async def everything(arena: Arena, run: Run) -> list[list[dict[str, Any]]]:
    """Every row that an import could move, with the transaction that wrote it."""
    statements = (
        "SELECT *, xmin::text FROM runs ORDER BY id",
        "SELECT *, xmin::text FROM batches ORDER BY run_id, number",
        "SELECT *, xmin::text FROM records ORDER BY account_id, type, key",
    )
    return [await arena.ask(statement) for statement in statements]
