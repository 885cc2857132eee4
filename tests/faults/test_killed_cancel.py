"""A run is cancelled while its worker dies, stands still before its commit or comes back to life, and while the API is
killed: it ends once, its counts are the ledger's, and no row is written afterwards."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import httpx
import pytest

from app.runs.holding.cancellation import cancel_run
from app.runs.model import Run
from tests.faults.arena import BATCH, Arena, until
from tests.faults.test_killed_api import client_of, started
from tests.faults.test_killed_export import started as started_export
from tests.faults.truth import truth
from tests.faults.verdict import OUTCOMES, records

pytestmark = pytest.mark.asyncio

ROWS = 80
STEPS = ("SliceClaimed", "read", "staged", "merged", "ledger", "accounted", "committed", "released")
REPLACING = ("finishing", "staging finished", "closed", "applied")
EXPORTING = ("SliceClaimed", "counting", "copying", "copied", "kept")
SUMS = ", ".join(f"coalesce(sum({name}), 0)::int AS {name}" for name in OUTCOMES)


async def cancel(arena: Arena, run: Run) -> Run:
    return await cancel_run(arena.runtime, arena.runtime.database.transaction(), run)


async def assert_cancelled(arena: Arena, run: Run, before: int, *, staged: bool = False) -> dict[str, Any]:
    """The run has ended for good, and what it says it has written is what is there."""
    row = await arena.run(run)
    assert (row["state"], row["fail_code"], row["lease_until"], row["secret"]) == ("cancelled", "cancelled", None, None)
    (sums,) = await arena.ask(f"SELECT {SUMS} FROM batches WHERE run_id = $1", run.id)
    counts = {name: row[name] for name in OUTCOMES}
    assert counts == (dict.fromkeys(OUTCOMES, 0) | {"failed": sums["failed"]} if staged else sums)
    assert len(await records(arena, run)) == before + row["created"]
    written = row["created"] + row["updated"]
    assert (f"{written} rows were written" if written else "Nothing was written") in row["fail_detail"]
    return row


async def cancelled_after(arena: Arena, step: str, nth: int, action: str) -> None:
    """A worker dies or freezes at the step, the run is cancelled, and other workers and the thawed one find nothing to
    do."""
    expected = truth(ROWS, seed=nth)
    run = await arena.stored(expected)
    first = arena.worker(f"{step}:{nth}:{action}")
    await (first.ended() if action == "kill" else first.is_frozen())
    answer = await cancel(arena, run)
    seen = await assert_cancelled(arena, run, expected.known_before)
    assert (answer.fail_detail, answer.remaining) == (seen["fail_detail"], ROWS - sum(seen[name] for name in OUTCOMES))
    if action == "stop":
        first.thaw()
    second = arena.worker()
    await second.is_up()
    other = await arena.submit("_email\nother@example.com\n")
    assert (await arena.ended(other))["state"] == "finished"  # whoever would have gone on has had its turn
    await arena.ask("DELETE FROM records WHERE run_id = $1", other.id)
    assert await assert_cancelled(arena, run, expected.known_before) == seen


async def test_a_run_whose_worker_is_killed_is_cancelled_and_not_rescued(arena: Arena) -> None:
    await cancelled_after(arena, "committed", 3, "kill")


async def test_a_worker_frozen_before_its_commit_writes_nothing_after_the_cancellation(arena: Arena) -> None:
    """It holds the row of its run: the cancellation waits until PostgreSQL ends its transaction."""
    await cancelled_after(arena, "accounted", 3, "stop")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("action", ["kill", "stop"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_run_is_cancelled_after_its_worker_was_lost_at_any_step(arena: Arena, step: str, action: str) -> None:
    await cancelled_after(arena, step, 1 if step in ("SliceClaimed", "released") else 3, action)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("action", ["kill", "stop"])
@pytest.mark.parametrize("step", REPLACING)
async def test_a_replacement_is_cancelled_at_any_step_and_has_written_nothing(
    arena: Arena, step: str, action: str
) -> None:
    expected = truth(ROWS)
    run = await arena.replacement(expected)
    before = await records(arena, run)
    first = arena.worker(f"{step}:1:{action}")
    await (first.ended() if action == "kill" else first.is_frozen())
    await cancel(arena, run)
    if action == "stop":
        first.thaw()
    await arena.worker().is_up()
    await assert_cancelled(arena, run, len(before), staged=True)
    assert await records(arena, run) == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("action", ["kill", "stop"])
@pytest.mark.parametrize("step", EXPORTING)
async def test_an_export_is_cancelled_at_any_step_and_has_no_file(arena: Arena, step: str, action: str) -> None:
    run = await started_export(arena)
    first = arena.worker(f"{step}:1:{action}")
    await (first.ended() if action == "kill" else first.is_frozen())
    await cancel(arena, run)
    if action == "stop":
        first.thaw()
        await until(lambda: "LeaseLost" in " ".join(first.trace()), "the worker does not give up")
        assert await arena.unowned_files() == []
    row = await arena.run(run)
    assert (row["state"], row["blob"], row["at_row"]) == ("cancelled", None, 0)


async def test_a_cancellation_of_which_the_answer_is_lost_is_sent_again_while_the_run_goes_on(arena: Arena) -> None:
    """The API is killed at any moment of it, and meanwhile a worker writes."""
    chance = random.Random(5)
    expected = truth(ROWS)
    await arena.prepare(expected)
    async with client_of(arena) as (client, port), httpx.AsyncClient() as http:
        api = await started(arena, client, port)
        run = await arena.submit(expected.file)
        worker = arena.worker(pace=0.05)
        await until(lambda: worker.trace().count(f"committed {run.id}") > 1, "nothing is written")
        address = f"{client.url}/runs/{run.id}/cancel"
        first = asyncio.create_task(http.post(address, headers=client.headers))
        await asyncio.sleep(chance.uniform(0, 0.02))
        api.end()
        with suppress(httpx.TransportError):
            await first
        await started(arena, client, port)
        again = await http.post(address, headers=client.headers)
        assert (again.status_code, again.json()["status"]) == (200, "cancelled")
        row = await assert_cancelled(arena, run, expected.known_before)
        assert BATCH <= sum(row[name] for name in OUTCOMES) < ROWS
        assert await worker.stopped() == 0
        assert await arena.run(run) == row
