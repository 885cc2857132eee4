"""A worker is killed while it makes records whose keys are generated: each row makes one, and only one."""

import json
import signal

import pytest

from app.declarations.types import declare_type
from tests.faults.arena import Arena

pytestmark = pytest.mark.asyncio

ROWS = 80
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
