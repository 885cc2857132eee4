"""A reader in a loop during full syncs never sees fewer than all items of one catalogue."""

import asyncio

import pytest
from sqlalchemy import text

from tests.support.item_syncs import SyncEngine

SEEN = (
    "SELECT min(key) AS first, max(key) AS last, count(*) AS items FROM records WHERE account_id = :id AND type = :type"
)


def items(name: str, count: int) -> str:
    rows = "".join(f"{name}{number:06};Item {number};{number}.5;7\n" for number in range(count))
    return f"ItemCode;Description;SalesPrice;salesprice1\n{rows}"


async def read_in_a_loop(syncs: SyncEngine, count: int, done: asyncio.Event) -> set[str]:
    """The names of the catalogues that were seen."""
    seen = set()
    while True:
        last = done.is_set()
        async with syncs.runtime.database.read() as session:
            given = {"id": syncs.account_id, "type": "items"}
            row = (await session.execute(text(SEEN), given)).mappings().one()
        name = row["first"][0]
        assert (row["last"][0], row["items"]) == (name, count)
        seen.add(name)
        if last:
            return seen


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
async def test_a_reader_sees_all_of_the_old_or_all_of_the_new(syncs: SyncEngine, count: int) -> None:
    await syncs.run(items("a", count), mode="full")
    done = asyncio.Event()
    reading = asyncio.create_task(read_in_a_loop(syncs, count, done))
    try:
        for name in "ba":
            run = await syncs.run(items(name, count), mode="full", max_removed_share=None)
            assert (run.state, run.created, run.removed) == ("finished", count, count)
    finally:
        done.set()
    assert await reading == {"a", "b"}
    assert len(await syncs.stored("item-prices")) == count
