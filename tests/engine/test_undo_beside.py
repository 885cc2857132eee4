"""Undos beside other writers: each record is either left to the other one or taken back, and nothing is lost."""

import asyncio

import pytest

from app.runs.lifecycle import work_on
from app.runs.model import Run, RunId
from app.undo.intake import submit_undo
from tests.engine.conftest import ImportEngine, law
from workers.engines import ENGINES

KEYS = [f"k{number:03}@x.io" for number in range(300)]
EARLIER, UNDONE, LATER = KEYS[:100], KEYS[:200], KEYS[50:250]  # so it has created and changed some, alone and not


def write_file(column: str, value: str, keys: list[str]) -> str:
    return f"_email,{column}\n" + "".join(f"{key},{value}\n" for key in keys)


async def work(engine: ImportEngine, run: Run) -> Run:
    """As a worker that gets nothing else to do."""
    while not (run := await engine.get(run)).done:
        await work_on(engine.runtime, RunId(run.id), ENGINES[run.kind])
    law(run)
    return run


@pytest.mark.parametrize("head_start", [0, 5], ids=["undo first", "import first"])
@pytest.mark.parametrize("staged", [False, True], ids=["direct", "staged"])
async def test_an_undo_beside_an_import_of_the_same_type(engine: ImportEngine, staged: bool, head_start: int) -> None:
    small = engine.with_settings(batch_rows=20, slice_seconds=0.000_001)
    await engine.run(write_file("_name", "Before", EARLIER))
    parent = await engine.run(write_file("_name", "Undone", UNDONE))
    later = await small.submit(write_file("_surname", "Later", LATER), staged=staged)
    for _ in range(head_start):
        await small.slice(later)

    async def undo() -> Run:
        """Two requests at once, and two workers that take it."""
        opening = engine.runtime.database.transaction
        accepted = await asyncio.gather(
            *(submit_undo(engine.runtime, opening(), parent, sender=None) for _ in range(2))
        )
        assert accepted[0].id == accepted[1].id
        return (await asyncio.gather(*(work(engine, run) for run in accepted)))[0]

    undone, later = await asyncio.gather(undo(), work(small, later))

    assert (undone.state, undone.total, later.state, later.failed) == ("finished", len(UNDONE), "finished", 0)
    found = {key: await engine.record(key) or {} for key in await engine.keys()}
    written = [key for key in LATER if found.get(key, {}).get("_surname") == "Later"]
    assert list(found) == sorted({*EARLIER, *written})
    # A staged row whose record somebody has changed or removed since is skipped, and told.
    assert len(LATER) - len(written) == later.skipped == sum(each["count"] for each in later.warnings)
    assert staged or written == LATER
    kept = [key for key in found if found[key].get("_name") == "Undone"]
    assert set(kept) <= set(written)
    assert len(kept) == undone.skipped
    assert all(found[key].get("_name") == "Before" for key in EARLIER if key not in kept)
    undos = "SELECT 1 FROM runs WHERE account_id = :id AND kind = 'undo'"
    assert len(await engine.sql(undos, id=engine.account_id)) == 1
