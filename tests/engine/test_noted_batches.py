"""Changes that are noted for many records at once are undone, listed and told as those that are noted one by one."""

from random import Random
from typing import Any

import pytest

from app.imports.staged.changes import ALL
from app.runs.holding.brakes import Brakes
from app.runs.kinds import KINDS
from app.runs.model import Run
from app.storage import records
from app.undo.history import load_history
from app.undo.intake import preview_undo
from app.undo.noted import load_noted
from tests.engine.conftest import ImportEngine
from tests.support.undoing import dump, undo

RECORDS = 900  # more than one row of notes has
# As all notes were until migration 0043, and as those of a run that was at work then.
FORMS = {"in batches": "false", "one by one": "true", "both": "id % 2048 < 1024"}
COLUMNS = """account_id, type, key, id, outcome, run_id, run_row, sent_by, changed_at, before, before_name,
    before_created_at, before_updated_at, before_run_id, before_run_row, before_run_seq"""
UNPACK = f"""INSERT INTO changed_records ({COLUMNS}) SELECT {COLUMNS} FROM record_changes
    WHERE {{which}} AND account_id = :account AND ctid IS NULL"""
DROP = "DELETE FROM changed_batches WHERE {which} AND account_id = :account"


def write_file(value: str, seed: int) -> str:
    numbers = [*range(RECORDS)]
    Random(seed).shuffle(numbers)
    rows = (f"{number}@x.io,{value} {number},{'x' * 60}\n" for number in numbers)
    return "_email,_name,_surname\n" + "".join(rows)


async def renote(engine: ImportEngine, form: str) -> None:
    for statement in (UNPACK, DROP):
        await engine.sql(statement.format(which=FORMS[form]), account=engine.account_id)


async def list_all(engine: ImportEngine, run: Run) -> list[tuple[Any, ...]]:
    """All that is told of what the run has changed, page by page: key, outcome, row, and the name before and after."""
    told, cursor, begun = [], None, False
    while cursor is not None or not begun:
        page = await load_noted(engine.runtime, run, cursor=cursor, limit=250, outcomes=ALL)
        begun, cursor = True, page.cursor
        told += [
            (each.key, each.outcome, each.row, *[(field.before, field.after) for field in each.fields])
            for each in page.changes
        ]
    return told


async def read_history(engine: ImportEngine, key: str) -> list[Any]:
    async with engine.runtime.database.read() as session:
        record = await records.get(session, engine.account_id, "contacts", key)
        first = await load_history(session, engine.account_id, record, ("contacts", key), kinds=[*KINDS], limit=2)
        rest = await load_history(
            session, engine.account_id, record, ("contacts", key), kinds=[*KINDS], upto=first.following, limit=9
        )
    return [(each.outcome, each.run_id, each.row, each.line, len(each.fields)) for each in (*first.items, *rest.items)]


@pytest.mark.parametrize("form", FORMS)
async def test_many_changes_are_undone_listed_and_told(engine: ImportEngine, form: str) -> None:
    small = engine.with_settings(batch_rows=700)
    first = await small.run(write_file("A", 1))
    states, runs = [await dump(engine)], []
    for seed, value in enumerate("BC"):
        runs.append(await small.run(write_file(value, seed + 2)))
        states.append(await dump(engine))
    runs.append(await small.run("_email,_name\n0@x.io,Other\n", replace=True, brakes=Brakes(max_removed_share=1.0)))
    await renote(engine, form)
    rows = [write_file(value, seed + 2).splitlines() for seed, value in enumerate("BC")]

    # What the next has found is what the run had left, also where all of it is noted at once.
    for place, run in enumerate(runs[:2]):
        expected = [
            (key, "updated", number, (f'"{"AB"[place]} {key[:-5]}"'.encode(), f'"{name}"'.encode()))
            for number, (key, name, _) in enumerate((line.split(",") for line in rows[place][1:]), 1)
        ]
        told = await list_all(engine, run)
        assert len(told) == RECORDS
        assert sorted((*each[:3], *[(bytes(b), bytes(a)) for b, a in each[3:]]) for each in told) == sorted(expected)
    assert {each[:2] for each in await list_all(engine, runs[2])} == {
        ("0@x.io", "updated"),
        *((f"{number}@x.io", "removed") for number in range(1, RECORDS)),
    }
    found = [line.split(",")[0] for line in rows[0]].index("77@x.io")
    told = await read_history(engine, "77@x.io")
    assert [each[:2] for each in told] == [
        ("removed", runs[2].id), ("updated", runs[1].id), ("updated", runs[0].id), ("created", first.id),
    ]  # fmt: skip
    assert told[2][2:] == (found, found + 1, 1)

    # The second of three cannot be undone before the last, and from the last to the first all can.
    preview = await preview_undo(engine.runtime, runs[1])
    assert (preview.total, preview.left_alone, preview.restored) == (RECORDS, RECORDS, 0)
    for run, state in zip(reversed(runs), reversed(states), strict=True):
        undone = await undo(engine, run)
        assert (undone.total, undone.skipped) == (RECORDS, 0)
        assert await dump(engine) == state
    assert {each[1] for each in await list_all(engine, undone)} == {"updated"}
    await undo(engine, first)
    assert await dump(engine) == []
