"""A worker dies or freezes in the middle of an undo: it is done once, wholly, or not at all."""

import signal

import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import Run
from app.undo.intake import submit_undo
from tests.faults.arena import Arena
from tests.faults.truth import truth

pytestmark = pytest.mark.asyncio

STEPS = ("undone", "finished")  # before and after the commit
RECORDS = "SELECT key, data::text, created_at::text FROM records ORDER BY key"


async def import_whole(arena: Arena, data: str) -> Run:
    run = await arena.submit(data)
    while (await arena.run(run))["state"] != "finished":
        await work_on(arena.runtime, run.id, work)
    return run


@pytest.mark.timeout(120)
async def test_a_worker_killed_at_one_step_after_the_other_of_an_undo(arena: Arena) -> None:
    known = truth(120)
    await import_whole(arena, known.before)
    before = await arena.ask(RECORDS)
    imported = await import_whole(arena, known.file)
    after = await arena.ask(RECORDS)
    undo = await submit_undo(arena.runtime, arena.runtime.database.transaction(), imported, sender=None)
    for step in STEPS:
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
        assert await arena.ask(RECORDS) == (before if step == "finished" else after)

    arena.worker()
    done = await arena.ended(undo)
    changed = (await arena.run(imported))["created"] + (await arena.run(imported))["updated"]
    assert (done["state"], done["skipped"], await arena.ask(RECORDS)) == ("finished", 0, before)
    assert done["total"] == done["updated"] + done["created"] + done["unchanged"] <= changed
    ledger = await arena.ask("SELECT sum(updated + unchanged + created) AS all FROM batches WHERE run_id = $1", undo.id)
    assert ledger[0]["all"] == done["total"]
