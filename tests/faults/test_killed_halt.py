"""A worker is killed before and after it halts an import, and again when the import is resumed: what is written stays
within the limit and is counted, and in the end every row has its outcome."""

import asyncio
import json
import random
import signal
from contextlib import suppress

import httpx
import pytest

from app.imports.engine import work
from app.runs.holding.brakes import Brakes
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import resume_run
from app.runs.lifecycle import work_on
from app.runs.model import Run, run_from
from tests.faults.arena import Arena, until
from tests.faults.test_killed_api import client_of, started
from tests.faults.truth import truth
from tests.faults.verdict import assert_true, records

pytestmark = pytest.mark.asyncio

ROWS = 60


async def halted(arena: Arena, run: Run) -> Run:
    async def is_halted() -> bool:
        return (await arena.run(run))["state"] == "halted"

    await until(is_halted, f"the run is not halted\n{arena.told()}")
    row = dict(await arena.run(run))
    return run_from({**row, "options": json.loads(row["options"])})


async def test_a_direct_import_is_halted_within_its_limit_and_goes_on(arena: Arena) -> None:
    expected = truth(ROWS, seed=3)
    await arena.prepare(expected)
    limit = expected.counts["created"] // 2
    run = await arena.submit(expected.file, brakes=Brakes(max_created=limit))
    for step in ("halting", "RunHeld"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
    seen = await halted(arena, run)
    assert 0 < seen.created <= limit
    assert len(await records(arena, run)) == expected.known_before + seen.created
    assert seen.crashes == 0

    await resume_run(arena.runtime, arena.runtime.database.transaction(), seen)
    assert await arena.worker("merged:1:kill").ended() == -signal.SIGKILL
    arena.worker()
    await assert_true(arena, run, expected)


async def test_a_replacement_is_halted_before_it_writes_and_then_applied_or_dropped(arena: Arena) -> None:
    expected = truth(ROWS, seed=4)
    run = await arena.replacement(expected, Brakes(max_created=0))
    before = await records(arena, run)
    for step in ("finishing", "RunHeld"):
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
    seen = await halted(arena, run)
    assert await records(arena, run) == before

    await resume_run(arena.runtime, arena.runtime.database.transaction(), seen)
    assert await arena.worker("applied:1:kill").ended() == -signal.SIGKILL
    assert await records(arena, run) == before
    arena.worker()
    ended = await arena.ended(run)
    assert (ended["state"], ended["created"]) == ("finished", expected.counts["created"])
    assert (await records(arena, run)).items() <= expected.records.items()

    another = await arena.submit(expected.file.replace(",New ", ",Newer "), replace=True, brakes=Brakes(max_updated=0))
    after = await records(arena, run)
    await cancel_run(arena.runtime, arena.runtime.database.transaction(), await halted(arena, another))
    cancelled = await arena.run(another)
    assert (cancelled["state"], cancelled["updated"], await records(arena, run)) == ("cancelled", 0, after)


async def test_a_decision_of_which_the_answer_is_lost_may_be_sent_again(arena: Arena) -> None:
    """The API is killed at any moment of a decision: it is taken or not, and the second request takes it."""
    chance = random.Random(11)
    async with client_of(arena) as (client, port), httpx.AsyncClient() as http:
        api = await started(arena, client, port)
        for decision, state in (("resume", "queued"), ("cancel", "cancelled")):
            run = await arena.submit(truth(ROWS).file, brakes=Brakes(max_created=0))
            await work_on(arena.runtime, run.id, work)
            address = f"{client.url}/runs/{(await halted(arena, run)).id}/{decision}"
            first = asyncio.create_task(http.post(address, headers=client.headers))
            await asyncio.sleep(chance.uniform(0, 0.02))
            api.end()
            with suppress(httpx.TransportError):
                await first
            assert (await arena.run(run))["state"] in ("halted", state)
            api = await started(arena, client, port)
            again = await http.post(address, headers=client.headers)
            assert (again.status_code, again.json()["status"]) == (200, state)
