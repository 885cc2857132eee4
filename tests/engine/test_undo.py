"""An import that is undone leaves the records as they were, and what others have written since as it is."""

from collections.abc import Callable
from typing import Any

import pytest

from app.errors import Refused
from app.imports.staged.changes import ALL
from app.runs import problems
from app.runs.holding.cancellation import cancel_run
from app.runs.kinds import KINDS
from app.runs.lifecycle import work_on
from app.runs.model import Run, RunId
from app.storage import records
from app.storage.journal import pruning, undoing
from app.storage.journal.undoing import count_changes
from app.storage.journal.writer import tell_journal
from app.undo.history import load_history
from app.undo.intake import preview_undo, submit_undo
from app.undo.noted import load_noted
from tests.engine.conftest import ImportEngine
from tests.support.undoing import dump, undo

BEFORE = "_email,_name,_surname\na@x.io,Ann,Able\nb@x.io,Bob,\nc@x.io,Cid,Core\n"
Give = Callable[..., Any]


async def delete(engine: ImportEngine, key: str) -> None:
    async with engine.runtime.database.transaction() as session:
        await tell_journal(session, sent_by="key_1")
        assert await records.delete(session, engine.account_id, "contacts", key)


WAYS: dict[str, dict[str, Any]] = {
    "direct": {},
    "in small batches": {"batch_rows": 2},
    "filled": {"only_empty": True},
    "staged": {"staged": True},
    "replaced": {"replace": True},
}
# A repeated key that changes a record twice, one that creates it, a record that stays the same, and a long number.
FILE = (
    "_email,_name,_surname\na@x.io,Anna,Able\nnew@x.io,New,1\nb@x.io,Bob,Bold\nc@x.io,Cid,Core\n"
    "a@x.io,Anne,Axe\nnew@x.io,Newer,2\nz@x.io,Zoe,12345678901234567890.10\n"
)


@pytest.mark.parametrize("way", WAYS)
async def test_an_import_and_its_undo_leave_the_records_byte_for_byte(engine: ImportEngine, way: str) -> None:
    options = dict(WAYS[way])
    engine = engine.with_settings(batch_rows=options.pop("batch_rows", 10_000))
    await engine.run(BEFORE)
    await engine.run("_email,_name\nother@x.io,Otto\n")
    before = await dump(engine)
    imported = await engine.run(FILE, **options)
    after = await dump(engine)
    assert after != before

    undone = await undo(engine, imported)

    assert (undone.state, undone.skipped, await dump(engine)) == ("finished", 0, before)
    assert (await engine.get(imported)).undone_by == undone.id
    assert (undone.removed, undone.created) == (imported.created, imported.removed or 0)
    # An undo is undone as any other run, and then the import can be undone once more.
    again = await undo(engine, undone)
    assert (again.skipped, await dump(engine)) == (0, [*after]), way
    assert (await engine.get(imported)).undone_by is None
    assert (await undo(engine, imported)).skipped == 0
    assert await dump(engine) == before


async def test_what_others_have_written_since_is_left_alone_and_listed(engine: ImportEngine) -> None:
    await engine.run(BEFORE)
    imported = await engine.run(
        "_email,_name\na@x.io,Anna\nb@x.io,Bert\nc@x.io,Carl\nn1@x.io,N\nn2@x.io,N\nn3@x.io,N\n"
    )
    await engine.run("_email,_name\na@x.io,Later\nn1@x.io,Later\nb@x.io,Bert\n")  # the last one changes nothing
    await delete(engine, "c@x.io")
    await delete(engine, "n2@x.io")

    seen = await preview_undo(engine.runtime, imported)
    undone = await undo(engine, imported)

    assert (seen.removed, seen.restored, seen.same, seen.left_alone) == (1, 1, 1, 3)
    assert (undone.removed, undone.updated, undone.unchanged, undone.skipped) == (1, 2, 1, 3)
    assert await engine.keys() == ["a@x.io", "b@x.io", "n1@x.io"]
    assert [(await engine.record(key) or {})["_name"] for key in await engine.keys()] == ["Later", "Bob", "Later"]
    async with engine.runtime.database.read() as session:
        listed, _ = await problems.load_page(session, RunId(undone.id), cursor=None, limit=10)
    assert {(each.key, each.code, each.row) for each in listed} == {
        ("a@x.io", "changed_since", 1),
        ("c@x.io", "changed_since", 3),
        ("n1@x.io", "changed_since", 4),
    }
    assert [(each["code"], each["count"]) for each in undone.warnings] == [("changed_since", 3)]


@pytest.mark.parametrize("first", [BEFORE, ""], ids=["changed", "created"])
async def test_what_is_not_noted_is_left_alone_too(engine: ImportEngine, first: str) -> None:
    """An import that keeps nothing wrote the record, and the undo of a later one has brought that back."""
    if first:
        await engine.run(first)
    imported = await engine.run("_email,_name\na@x.io,Anna\n")
    await engine.run("_email,_name\na@x.io,Unnoted\n", undoable=False)
    await undo(engine, await engine.run("_email,_name\na@x.io,Later\n"))
    before = await dump(engine)

    undone = await undo(engine, imported)

    assert (undone.skipped, await dump(engine)) == (1, before)
    page = await load_noted(engine.runtime, imported, cursor=None if first else "c0.0", limit=10, outcomes=ALL)
    assert [change.fields for change in page.changes] == [[]]  # nobody knows what it has left
    async with engine.runtime.database.read() as session:
        record = await records.get(session, engine.account_id, "contacts", "a@x.io")
        history = await load_history(
            session, engine.account_id, record, ("contacts", "a@x.io"), kinds=[*KINDS], limit=10
        )
    # The import that kept nothing has its place, and nobody is said to have written what it wrote.
    assert [len(item.fields) for item in history.items][:3] == [1, 1, 0]
    (told,) = [item for item in history.items if item.run_id == imported.id]
    assert (told.outcome, told.fields, told.unknown) == ("updated" if first else "created", [], True)


async def test_imports_are_undone_one_after_the_other_from_the_last(engine: ImportEngine) -> None:
    states = [await dump(engine)]
    imported = []
    for name in ("One", "Two", "Three"):
        imported.append(await engine.run(f"_email,_name\na@x.io,{name}\n{name.lower()}@x.io,{name}\n"))
        states.append(await dump(engine))
    for run, state in zip(reversed(imported), reversed(states[:-1]), strict=True):
        assert (await undo(engine, run)).skipped == 0
        assert await dump(engine) == state


async def test_a_record_that_was_deleted_and_came_again_is_removed(engine: ImportEngine) -> None:
    """The import updates it, somebody deletes it, and a later row of the same import creates it anew."""
    small = engine.with_settings(batch_rows=1, slice_seconds=0.000_001)
    await small.run("_email,_name\na@x.io,Old\n")
    run = await small.slice(await small.submit("_email,_name\na@x.io,New\na@x.io,Newer\n"))
    assert run.processed == 1
    await delete(small, "a@x.io")
    run = await small.finish(run)
    assert run.created == 1
    await undo(small, run)
    assert await small.keys() == []


@pytest.mark.parametrize("piece", [10_000, 1], ids=["in one piece", "in two"])
async def test_a_record_that_a_run_has_changed_twice_is_as_it_was_before_the_first_time(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """A later import comes between its rows and is undone, so the second row changes what another has written."""
    small = engine.with_settings(batch_rows=1, slice_seconds=0.000_001)
    await small.run("_email,_name\na@x.io,Old\n")
    before = await dump(small)
    run = await small.slice(await small.submit("_email,_name\na@x.io,New\na@x.io,Newer\n"))
    await undo(small, await small.run("_email,_name\na@x.io,Later\n"))
    run = await small.finish(run)
    monkeypatch.setattr(undoing, "PIECES", {
        part: each.replace("10000", str(piece)) for part, each in undoing.PIECES.items()
    })  # fmt: skip

    undone = await undo(small, run)

    assert (undone.state, undone.updated, undone.unchanged, undone.skipped) == ("finished", 1, 1, 0)
    assert await dump(small) == before
    assert (await undo(small, undone)).state == "finished"
    assert await small.record("a@x.io") == {"_email": "a@x.io", "_name": "Newer"}


async def fail(engine: ImportEngine, undo: Run) -> None:
    """Its worker breaks at it until nobody tries it again."""

    async def break_off(*_: object) -> bool:
        raise ZeroDivisionError

    await work_on(engine.with_settings(max_crashes=1).runtime, RunId(undo.id), break_off)


async def cancel(engine: ImportEngine, undo: Run) -> None:
    await cancel_run(engine.runtime, engine.runtime.database.transaction(), undo)


@pytest.mark.parametrize("end", [fail, cancel])
async def test_an_undo_that_has_done_nothing_leaves_no_mark(engine: ImportEngine, end: Give) -> None:
    """Each of a row of undos takes back the one before, and another one of the last comes to nothing."""
    row = [await engine.run(BEFORE)]
    for length in range(4):
        doomed = await submit_undo(engine.runtime, engine.runtime.database.transaction(), row[-1], sender=None)
        marked = [(await engine.get(each)).undone_by for each in row]
        await end(engine, doomed)

        assert (await engine.get(doomed)).state in ("failed", "cancelled")
        in_force = [each.id for each in row[1:]]
        # From the last one back every second run is in force, and the ones between are undone.
        assert marked[::-1] == [[doomed.id, *in_force[::-1]][at] if at % 2 == 0 else None for at in range(len(row))]
        left = [(await engine.get(each)).undone_by for each in row]
        assert left[::-1] == [in_force[::-1][at - 1] if at % 2 else None for at in range(len(row))]
        row.append(await undo(engine, row[-1]))
        assert length < 3 or await engine.keys() == ["a@x.io", "b@x.io", "c@x.io"]


async def test_an_undo_that_has_begun_is_not_begun_again(engine: ImportEngine) -> None:
    imported = await engine.run(BEFORE)
    first = await undo(engine, imported)
    second = await submit_undo(engine.runtime, engine.runtime.database.transaction(), imported, sender=None)
    assert second.id == first.id


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        ({}, {"undoable": False}, "was not noted"),
        ({"undo_days": 0}, {}, "SLUICE_UNDO_DAYS is 0"),
        ({}, {"override_existing": False}, "has changed no record"),
    ],
)
async def test_what_is_not_noted_is_not_undone(
    engine: ImportEngine, settings: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    await engine.run(BEFORE)
    engine = engine.with_settings(**settings)
    imported = await engine.run("_email,_name\na@x.io,Anna\n", **options)
    async with engine.runtime.database.read() as session:
        assert await count_changes(session, imported.id) == 0
    with pytest.raises(Refused, match=reason) as refused:
        await submit_undo(engine.runtime, engine.runtime.database.transaction(), imported, sender=None)
    assert refused.value.code == "not_undoable"


async def test_what_is_too_old_is_forgotten(engine: ImportEngine) -> None:
    await engine.run(BEFORE)
    imported = await engine.run("_email,_name\na@x.io,Anna\nn@x.io,N\n")
    async with engine.runtime.database.transaction() as session:
        await pruning.drop_old(session, days=engine.runtime.settings.undo_days)
        assert await count_changes(session, imported.id) == 2
    for table, moment in pruning.TABLES.items():
        await engine.sql(
            f"UPDATE {table} SET {moment} = now() - interval '10 days' WHERE run_id = :run", run=imported.id
        )
    await engine.sql("UPDATE runs SET finished_at = now() - interval '10 days' WHERE id = :run", run=imported.id)
    async with engine.runtime.database.transaction() as session:
        await pruning.drop_old(session, days=engine.runtime.settings.undo_days)
        assert await count_changes(session, imported.id) == 0
    with pytest.raises(Refused, match="was kept for 7 days"):
        await preview_undo(engine.runtime, await engine.get(imported))


async def test_of_a_run_that_was_held_for_weeks_nothing_is_forgotten(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=1, slice_seconds=0.000_001)
    await small.run(BEFORE)
    before = await dump(small)
    run = await small.slice(await small.submit("_email,_name\na@x.io,Anna\nn@x.io,N\nb@x.io,Bert\n"))
    assert run.processed == 1
    for _ in range(2):  # in the middle of its work, and when it has ended
        for table, moment in pruning.TABLES.items():
            await small.sql(f"UPDATE {table} SET {moment} = now() - interval '20 days' WHERE run_id = :run", run=run.id)
        async with small.runtime.database.transaction() as session:
            await pruning.drop_old(session, days=small.runtime.settings.undo_days)
        run = await small.finish(run)
    assert (await undo(small, run)).skipped == 0
    assert await dump(small) == before


@pytest.mark.parametrize("way", [{}, {"staged": True}], ids=["direct", "staged"])
async def test_an_undo_keeps_no_older_import_from_creating_its_records(
    engine: ImportEngine, way: dict[str, Any]
) -> None:
    """It has removed records, as a replacement does, and yet it is none."""
    small = engine.with_settings(batch_rows=1, slice_seconds=0.000_001)
    created = await small.run("_email,_name\nx@x.io,Xu\n")
    older = await small.slice(await small.submit("_email,_name\na@x.io,Ann\nx@x.io,Xi\nc@x.io,Cid\n", **way))
    assert (await undo(small, created)).removed == 1

    older = await small.finish(older)

    assert (older.created, older.skipped, await small.keys()) == (3, 0, ["a@x.io", "c@x.io", "x@x.io"])
