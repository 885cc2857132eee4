"""A worker is killed while it plans an import, while it commits one, and while it rolls one back: nothing is written
before somebody says so, then all of it, once; and of all or nothing it is nothing as soon as a row fails."""

import json
import signal

import pytest

from app.runs.holding.held import commit_plan
from app.runs.model import Run, run_from
from tests.faults.arena import Arena, until
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, records

pytestmark = pytest.mark.asyncio

ROWS = 60


async def has_come_to(arena: Arena, run: Run, state: str) -> Run:
    async def is_there() -> bool:
        return bool((await arena.run(run))["state"] == state)

    await until(is_there, f"the run is not {state}\n{arena.told()}")
    row = dict(await arena.run(run))
    return run_from({**row, "options": json.loads(row["options"])})


async def test_a_plan_is_made_and_committed_once_whatever_is_killed(arena: Arena) -> None:
    expected = truth(ROWS, seed=5)
    await arena.prepare(expected)
    run = await arena.submit(expected.file, dry_run=True)
    before = await records(arena, run)
    for step in ("accounted", "RunHeld"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
    planned = await has_come_to(arena, run, "planned")
    assert await records(arena, run) == before
    assert {name: getattr(planned, name) for name in expected.counts} == expected.counts

    await commit_plan(arena.runtime, arena.runtime.database.transaction(), planned)
    for step in ("applied", "finished"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
    await assert_true(arena, run, expected)


@pytest.mark.slow
async def test_nothing_is_written_of_all_or_nothing_whatever_is_killed(arena: Arena) -> None:
    expected = truth(ROWS, seed=6)
    await arena.prepare(expected)
    run = await arena.submit(expected.file, on_error="rollback")
    before = await records(arena, run)
    for step in ("accounted", "finishing", "RunEnded"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
    failed = await has_come_to(arena, run, "failed")
    assert (failed.fail_code, failed.success, failed.failed) == ("rolled_back", 0, expected.counts["failed"])
    assert await records(arena, run) == before
