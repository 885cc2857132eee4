"""A worker or PostgreSQL is killed, or a worker frozen, at each step of a start by the clock: it is started once."""

import signal
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from app.schedules.stored import ScheduleDeclaration, create_schedule
from app.storage.database import DatabaseUnavailable
from tests.faults.arena import Arena, until

pytestmark = pytest.mark.asyncio

STEPS = ("schedule_taken", "schedule_stored", pytest.param("schedule_settled", marks=pytest.mark.slow))
LATE = (
    "UPDATE schedules SET next_run_at = now() - interval '3 days', due_at = now() - interval '3 days' WHERE name = $1"
)
STARTED = "SELECT runs.id FROM runs JOIN schedules s ON created_by = s.id AND last_run_id = runs.id WHERE s.name = $1"
ALL = "SELECT runs.id FROM runs JOIN schedules s ON created_by = s.id WHERE s.name = $1"


async def due(arena: Arena, name: str = "Yearly") -> None:
    """A schedule whose time was three days ago, and comes again next year."""
    declared = ScheduleDeclaration(name, "export", None, {"type": "contacts"}, "0 0 1 1 *", "UTC")
    async with arena.runtime.database.transaction() as session:
        await create_schedule(session, arena.account_id, declared, now=datetime.now(UTC))
    await arena.ask(LATE, name)


async def is_started(arena: Arena, name: str = "Yearly") -> None:
    async def has_run() -> bool:
        return bool(await arena.ask(STARTED, name))

    await until(has_run, f"{name} is not started")


async def assert_started_once(arena: Arena) -> None:
    """Also after the worker has started something else."""
    await is_started(arena)
    await due(arena, "Another")
    await is_started(arena, "Another")
    assert len(await arena.ask(ALL, "Yearly")) == 1
    (schedule,) = await arena.ask(
        "SELECT last_result ->> 'status' AS status, failures, next_run_at > now() AND due_at = next_run_at AS settled "
        "FROM schedules WHERE name = 'Yearly'"
    )
    assert schedule == {"status": "started", "failures": 0, "settled": True}


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_at_a_step_of_a_start_starts_it_once(arena: Arena, step: str) -> None:
    await due(arena)
    first = arena.worker(f"{step}:1:kill")
    assert await first.ended() == -signal.SIGKILL
    for _ in range(2):
        arena.worker()
    await assert_started_once(arena)


@pytest.mark.parametrize("step", ["schedule_taken", pytest.param("schedule_stored", marks=pytest.mark.slow)])
async def test_a_worker_frozen_during_a_start_starts_nothing_when_it_thaws(arena: Arena, step: str) -> None:
    await due(arena)
    zombie = arena.worker(f"{step}:1:stop", idle_ms=500)
    await zombie.is_frozen()
    other = arena.worker()
    await is_started(arena)  # at the latest when PostgreSQL has ended the frozen transaction
    assert await other.stopped() == 0
    zombie.thaw()
    await assert_started_once(arena)


async def test_postgresql_is_killed_before_a_start_is_committed(arena: Arena) -> None:
    await due(arena)
    worker = arena.worker("schedule_stored:1:wait")
    await worker.meets_fault()
    arena.servers.postgres.kill()
    worker.go_on()
    arena.servers.postgres.start()
    with suppress(DatabaseUnavailable):  # the connections of this process were cut, too
        await due(arena, "Lost")
    await assert_started_once(arena)
