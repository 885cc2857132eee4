"""A worker is killed in the middle of a retry: each failed row goes in once, and the family adds up."""

import signal
from typing import Any

import pytest

from app.imports.intake import Submission, submit
from app.imports.row_files.failed_again import write_failed_again
from app.runs.families.totals import FamilyTotals, read_family
from app.runs.model import Relation, Run, run_from
from app.storage import runs, types
from tests.faults.arena import Arena
from tests.support.sweeps import few

pytestmark = pytest.mark.asyncio

ROWS = 60
# The step, and at which of its occurrences.
STEPS = {"merged": 2, "ledger": 2, "accounted": 3, "committed": 3, "finishing": 1}


async def declare(arena: Arena, most: int) -> None:
    fields: list[dict[str, Any]] = [{"id": "sku", "type": "text"}, {"id": "n", "type": "integer", "max": most}]
    async with arena.runtime.database.transaction() as session:
        await types.put(session, arena.account_id, "things", {"key": "sku", "fields": fields})


async def retry(arena: Arena, parent: Run) -> Run:
    again = await write_failed_again(arena.runtime, await load(arena, parent))
    wanted = Submission(
        arena.account_id,
        "api",
        "things",
        again.upload,
        parent=parent,
        relation=Relation.RETRY,
        taken=again.rows,
    )
    return await submit(arena.runtime, wanted)


async def load(arena: Arena, run: Run) -> Run:
    async with arena.runtime.database.read() as session:
        row = await runs.get(session, arena.account_id, run.id)
    assert row is not None
    return run_from(row)


@pytest.mark.parametrize("step", few(STEPS, ("merged",)))
async def test_a_killed_retry_brings_each_row_in_once(arena: Arena, step: str) -> None:
    await declare(arena, most=5)
    parent = await arena.submit("sku,n\n" + "".join(f"k{n},{n % 2 * 9}\n" for n in range(2 * ROWS)), type="things")
    first = arena.worker()
    await arena.ended(parent)
    first.end()
    await declare(arena, most=10)

    run = await retry(arena, parent)
    killed = arena.worker(f"{step}:{STEPS[step]}:kill")
    assert await killed.ended() == -signal.SIGKILL
    arena.worker()
    row = await arena.ended(run)
    assert (row["total"], row["created"], row["failed"], row["crashes"]) == (ROWS, ROWS, 0, 0)
    [sums] = await arena.ask(
        "SELECT sum(created)::int AS created, count(*) AS batches FROM batches WHERE run_id = $1", run.id
    )
    assert (sums["created"], sums["batches"]) == (ROWS, row["batches"])
    [stored] = await arena.ask("SELECT count(*) AS records FROM records WHERE type = 'things'")
    assert stored["records"] == 2 * ROWS
    async with arena.runtime.database.read() as session:
        family = await read_family(session, await load(arena, parent))
    assert family == FamilyTotals(parent.id, runs=2, open=0, total=2 * ROWS, failed=0)
