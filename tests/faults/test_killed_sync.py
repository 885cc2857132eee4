"""A worker or PostgreSQL is killed at each step of a full item sync: readers see the old catalogue or the new one."""

import json
import signal

import pytest

from app.runs.model import Run
from tests.faults.arena import Arena, until
from tests.support.item_syncs import SyncEngine
from tests.support.sweeps import few_or_all

pytestmark = pytest.mark.asyncio

COUNT = 15  # items of a catalogue, in two batches
STEPS = ("read", "merged", "accounted", "committed", "written", "applied item-prices", "applied items")
FEW_OR_ALL = few_or_all(STEPS, ("merged", "written", "applied items"))
CATALOGUE = """
SELECT type, key, data FROM records WHERE account_id = $1
    AND type IN ('items', 'item-prices', 'price-lists', 'item-classes', 'item-class-values')"""
STAGED = "SELECT 1 FROM staged_records UNION ALL SELECT 1 FROM staged_keys LIMIT 1"


def catalogue(name: str) -> tuple[str, str]:
    """Files of items that all bear the name, and nothing else does."""
    items = "".join(f"{name}{number:02};{name};{number + 1};{number + 2}\n" for number in range(COUNT))
    filters = "".join(f"{name};{number % 3};{name}{number:02}\n" for number in range(COUNT))
    return f"ItemCode;Description;salesprice1;salesprice2\n{items}", f"ClassName;ClassValue;ItemCode\n{filters}"


async def begun(arena: Arena) -> Run:
    """A full sync of a new catalogue, which waits; the old one is there."""
    syncs = SyncEngine(arena.runtime, arena.account_id)
    assert (await syncs.run(*catalogue("old"))).state == "finished"
    assert await read(arena) == "old"
    return await syncs.submit(*catalogue("new"), mode="full", max_removed_share=None)


async def read(arena: Arena) -> str:
    """The name of the catalogue that a reader sees, all of it, and nothing of another."""
    rows = await arena.ask(CATALOGUE, arena.account_id)
    found = {(row["type"], row["key"]): json.loads(row["data"]) for row in rows}
    name = "new" if ("items", "new00") in found else "old"
    codes = [f"{name}{number:02}" for number in range(COUNT)]
    prices = [("item-prices", f"{price_list}:{code}") for price_list in (1, 2) for code in codes]
    filters = [("item-classes", name), *(("item-class-values", f"{name}:{number}") for number in range(3))]
    lists = [("price-lists", "1"), ("price-lists", "2")]
    assert set(found) == {*(("items", code) for code in codes), *prices, *filters, *lists}
    for number, code in enumerate(codes):
        assert found["items", code]["classValues"] == [f"{name}:{number % 3}"]
        assert found["item-prices", f"1:{code}"]["price"] == number + 1
    return name


async def assert_done(arena: Arena, run: Run) -> None:
    row = await arena.ended(run)
    assert (row["state"], row["total"], row["created"], row["removed"]) == ("finished", 2 * COUNT, 2 * COUNT, COUNT)
    assert await read(arena) == "new"

    async def none_left() -> bool:
        return not await arena.ask(STAGED)

    await until(none_left, "the overlay is still there")


@FEW_OR_ALL
@pytest.mark.timeout(180)
async def test_a_worker_is_killed_at_steps_of_a_sync(arena: Arena, steps: tuple[str, ...]) -> None:
    run = await begun(arena)
    for step in steps:
        worker = arena.worker(f"{step}:1:kill")
        assert await worker.ended() == -signal.SIGKILL
        assert await read(arena) == "old"
    last = arena.worker("applied:1:kill")
    assert await last.ended() == -signal.SIGKILL
    assert await read(arena) == "new"
    arena.worker()
    await assert_done(arena, run)


@FEW_OR_ALL
@pytest.mark.timeout(180)
async def test_postgresql_is_killed_at_steps_of_a_sync(arena: Arena, steps: tuple[str, ...]) -> None:
    run = await begun(arena)
    worker = arena.worker(",".join(f"{step}:1:wait" for step in steps))
    for number in range(1, len(steps) + 1):
        await worker.meets_fault(number)
        assert await read(arena) == "old"
        arena.servers.postgres.kill()
        worker.go_on()
        arena.servers.postgres.start()
    await assert_done(arena, run)
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]  # it is no crash
    assert await worker.stopped() == 0
