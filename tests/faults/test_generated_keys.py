"""A worker is killed while it makes records whose keys are generated: each row makes one, and only one."""

import json
import signal

import pytest

from app.declarations.types import declare_type
from tests.faults.arena import Arena

pytestmark = pytest.mark.asyncio

ROWS = 80
CATALOGUE = [(f"p{n}", f"p{n // 3}" if n % 3 else "") for n in range(ROWS)]  # title, parent's title
TYPE = {
    "key": "number",
    "generateKey": True,
    "fields": [{"id": "number", "type": "text"}, {"id": "title", "type": "text"}],
}


@pytest.mark.timeout(120)
async def test_killed_workers_make_each_record_once(arena: Arena) -> None:
    """Every worker dies, before and after a commit; each gets further than the one before it."""
    async with arena.runtime.database.transaction() as session:
        await declare_type(session, arena.account_id, "tickets", TYPE)
    run = await arena.submit("title\n" + "".join(f"t{n}\n" for n in range(ROWS)), type="tickets")
    for step in ("merged", "accounted", "committed"):
        assert await arena.worker(f"{step}:2:kill").ended() == -signal.SIGKILL
    arena.worker()
    row = await arena.ended(run)

    assert (row["state"], row["created"], row["total"]) == ("finished", ROWS, ROWS), arena.told()
    stored = await arena.ask("SELECT data FROM records WHERE account_id = $1", arena.account_id)
    assert sorted(json.loads(each["data"])["title"] for each in stored) == sorted(f"t{n}" for n in range(ROWS))


@pytest.mark.timeout(120)
async def test_killed_workers_leave_every_variant_with_its_product(arena: Arena) -> None:
    """Rows name records of batches that were being written when a worker died."""
    lines = "".join(f"{title},{parent},option\n" for title, parent in CATALOGUE)
    run = await arena.submit(f"title,parentTitle,optionTitle\n{lines}", type="shop-products")
    for step in ("staged", "merged", "committed"):
        assert await arena.worker(f"{step}:2:kill").ended() == -signal.SIGKILL
    arena.worker()
    row = await arena.ended(run)

    assert (row["state"], row["created"], row["failed"]) == ("finished", ROWS, 0), arena.told()
    stored = await arena.ask("SELECT key, data FROM records WHERE account_id = $1", arena.account_id)
    records = {each["key"]: json.loads(each["data"]) for each in stored}
    parents = {key: records[record["parentId"]]["title"] for key, record in records.items() if "parentId" in record}
    assert sorted((record["title"], parents.get(key, "")) for key, record in records.items()) == sorted(CATALOGUE)
