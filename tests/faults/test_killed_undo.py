"""A worker dies or freezes in the middle of an undo: it is done once, wholly, or not at all."""

import signal
from typing import Any, Final

import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import Run
from app.undo.intake import submit_undo
from tests.faults.arena import Arena
from tests.faults.truth import truth
from tests.support.archives import zip_of
from tests.support.item_syncs import SyncEngine
from tests.support.pictures import picture
from tests.support.sweeps import few_or_all

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

STEPS: Final = ("closed", "undone", "finished")  # the last one is after the commit
FEW_OR_ALL: Final = few_or_all(STEPS, ("undone", "finished"))
RECORDS: Final = "SELECT type, key, data::text, created_at::text, name FROM records ORDER BY type, key"
EVERYTHING: Final = "SELECT * FROM records ORDER BY type, key"
LEDGER: Final = "SELECT sum(updated + unchanged + created)::int AS rows FROM batches WHERE run_id = $1"
NOTED: Final = "SELECT type, key, count(*) FROM record_changes WHERE run_id = $1 GROUP BY type, key HAVING count(*) > 1"
Rows = list[dict[str, Any]]


class Imports:
    """Two imports of one type, of which the second changes what the first has created."""

    def __init__(self, arena: Arena) -> None:
        self.arena, self.known = arena, truth(120)

    async def first(self) -> Run:
        return await self._run(self.known.before)

    async def second(self) -> Run:
        return await self._run(self.known.file)

    async def _run(self, data: str) -> Run:
        run = await self.arena.submit(data)
        while (await self.arena.run(run))["state"] != "finished":
            await work_on(self.arena.runtime, run.id, work)
        return run


class Syncs:
    """A catalogue with pictures, and another one in its place: records of all its types come, change and go."""

    def __init__(self, arena: Arena) -> None:
        self.syncs = SyncEngine(arena.runtime, arena.account_id)

    async def first(self) -> Run:
        return await self._run("old", 2)

    async def second(self) -> Run:
        return await self._run("new", 3)

    async def _run(self, name: str, price_list: int) -> Run:
        size = 30 + price_list
        items = "".join(f"{name}{number};{name};{number};{number}.50\n" for number in range(30))
        filters = "".join(f"{name};{number % 3};{name}{number}\n" for number in range(30))
        shown = {"both.jpg": picture(size=(size, size)), f"{name}1.png": picture("PNG", size=(size, size))}
        run = await self.syncs.run(
            f"ItemCode;Description;salesprice1;salesprice{price_list}\n{items}both;{name};1;{size}\n",
            f"ClassName;ClassValue;ItemCode\n{filters}{name};1;both\n",
            images=zip_of(shown),
            mode="full",
            max_removed_share=None,
        )
        assert run.state == "finished"
        return run


async def begin(arena: Arena, runs: Imports | Syncs) -> tuple[Run, Rows, Rows]:
    """An undo of the second run that waits, with the records as they were before that run, and after it."""
    await runs.first()
    before = await arena.ask(RECORDS)
    second = await runs.second()
    after = await arena.ask(RECORDS)
    assert {row["type"] for row in before} == {row["type"] for row in after if row not in before}
    undo = await submit_undo(arena.runtime, arena.runtime.database.transaction(), second, sender=None)
    return undo, before, after


async def assert_done_once(arena: Arena, undo: Run, before: Rows) -> None:
    done = await arena.ended(undo)
    assert (done["state"], done["skipped"], await arena.ask(RECORDS)) == ("finished", 0, before)
    assert done["total"] == done["updated"] + done["created"] + done["unchanged"]
    assert await arena.ask(LEDGER, undo.id) == [{"rows": done["total"]}]
    assert await arena.ask(NOTED, undo.id) == []
    parent = await arena.ask("SELECT undone_by FROM runs WHERE id = $1", undo.parent_id)
    assert parent == [{"undone_by": undo.id}]


@FEW_OR_ALL
@pytest.mark.parametrize("kind", [Syncs, pytest.param(Imports, marks=pytest.mark.slow)])
async def test_a_worker_killed_at_one_step_after_the_other_of_an_undo(
    arena: Arena, kind: type[Imports | Syncs], steps: tuple[str, ...]
) -> None:
    undo, before, after = await begin(arena, kind(arena))
    for step in steps:
        assert await arena.worker(f"{step}:1:kill").ended() == -signal.SIGKILL
        assert await arena.ask(RECORDS) == (before if step == "finished" else after)
    everything = await arena.ask(EVERYTHING)
    await assert_done_once(arena, undo, before)
    if steps == STEPS:  # whoever comes now finds nothing left to do
        last = arena.worker()
        await last.is_up()
        assert await last.stopped() == 0
        await assert_done_once(arena, undo, before)
        assert await arena.ask(EVERYTHING) == everything


@pytest.mark.slow
async def test_a_worker_that_was_frozen_in_an_undo_takes_nothing_back_twice(arena: Arena) -> None:
    undo, before, _ = await begin(arena, Syncs(arena))
    zombie = arena.worker("undone:1:stop")
    await zombie.is_frozen()
    arena.worker()
    await assert_done_once(arena, undo, before)  # once PostgreSQL has ended the transaction that nobody goes on with
    everything = await arena.ask(EVERYTHING)
    zombie.thaw()
    assert await zombie.stopped() == 0
    await assert_done_once(arena, undo, before)
    assert await arena.ask(EVERYTHING) == everything


@pytest.mark.slow
async def test_postgresql_killed_at_one_step_after_the_other_of_an_undo_costs_no_crash(arena: Arena) -> None:
    undo, before, after = await begin(arena, Syncs(arena))
    worker = arena.worker(",".join(f"{step}:1:wait" for step in STEPS[:-1]))
    for number in range(1, len(STEPS)):
        await worker.meets_fault(number)
        assert await arena.ask(RECORDS) == after
        arena.servers.postgres.kill()
        worker.go_on()
        arena.servers.postgres.start()
    await assert_done_once(arena, undo, before)
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]
