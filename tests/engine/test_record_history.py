"""The history of a record tells what can be known of it, and says what cannot."""

from typing import Any

from app.imports.staged.changes import ALL
from app.runs.kinds import KINDS
from app.runs.model import Run
from app.storage import records
from app.storage.journal.writer import tell_journal
from app.undo.history import HistoryItem, load_history
from app.undo.noted import load_noted
from tests.engine.conftest import ImportEngine
from tests.support.undoing import undo


async def read_history(engine: ImportEngine, key: str) -> list[HistoryItem]:
    async with engine.runtime.database.read() as session:
        record = await records.get(session, engine.account_id, "contacts", key)
        page = await load_history(session, engine.account_id, record, ("contacts", key), kinds=[*KINDS], limit=10)
    return list(page.items)


def told(items: list[HistoryItem], *runs: Run) -> list[tuple[Any, ...]]:
    """The outcome of each change, the number of its run, and its row and line, or None where it has none."""
    numbers = {run.id: number for number, run in enumerate(runs)}
    return [
        (each.outcome, numbers.get(str(each.run_id)), each.row or None, each.line or None, each.unknown is True)
        for each in items
    ]


async def test_of_several_rows_with_one_key_the_last_that_changed_it_is_told(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=2)
    first = await small.run("_email,_name\na@x.io,1\nb@x.io,B\na@x.io,2\nb@x.io,B\na@x.io,3\na@x.io,3\nb@x.io,B\n")
    second = await small.run("_email,_name\na@x.io,4\nb@x.io,B\nb@x.io,B\na@x.io,5\nb@x.io,B\n")
    assert told(await read_history(engine, "a@x.io"), first, second) == [
        ("updated", 1, 4, 5, False),
        ("created", 0, 5, 6, False),
    ]
    for later in (False, True):  # what is told does not change when the record does
        for run, cursor, row in ((first, "c0.0", 5), (second, None, 4)):
            changes = (await load_noted(engine.runtime, run, cursor=cursor, limit=10, outcomes=ALL)).changes
            assert [each.row for each in changes if each.key == "a@x.io"] == [row]
        if not later:
            await engine.run("_email,_name\na@x.io,6\n")
    assert told(await read_history(engine, "a@x.io"), first, second)[1:] == [
        ("updated", 1, 4, 5, False),
        ("created", 0, 5, 6, False),
    ]


async def test_a_row_that_a_later_import_has_left_is_not_told_of_an_earlier_one(engine: ImportEngine) -> None:
    """An import that changes nothing leaves its mark on the records while an older one may still come."""
    await engine.submit("_email,_name\nz@x.io,Z\n")  # it waits
    first = await engine.run("_email,_name\nb@x.io,B\nc@x.io,C\na@x.io,Ann\n")
    await engine.run("_email,_name\na@x.io,Ann\n")
    await engine.run("_email,_name\na@x.io,Anna\n")
    assert told(await read_history(engine, "a@x.io"), first)[-1] == ("created", 0, 3, 4, False)


async def test_an_import_that_keeps_nothing_does_not_hide_who_has_created_the_record(engine: ImportEngine) -> None:
    first = await engine.run("_email,_name\nb@x.io,B\na@x.io,Ann\n")
    silent = await engine.run("_email,_name\na@x.io,Anna\n", undoable=False)
    expected = [("updated", 1, 1, 2, True), ("created", 0, 2, 3, True)]
    assert told(await read_history(engine, "a@x.io"), first, silent) == expected
    third = await engine.run("_email,_name\na@x.io,Anne\n")
    expected = [("updated", 2, 1, 2, False), *expected]
    assert told(await read_history(engine, "a@x.io"), first, silent, third) == expected

    # The same after it was removed, and of a record that came again.
    async with engine.runtime.database.transaction() as session:
        await tell_journal(session, sent_by="key_1")
        await records.delete(session, engine.account_id, "contacts", "a@x.io")
    fourth = await engine.run("_email,_name\na@x.io,New\n")
    fifth = await engine.run("_email,_name\na@x.io,Newer\n", undoable=False)
    expected = [("updated", 4, 1, 2, True), ("created", 3, 1, 2, True), ("removed", None, None, None, False), *expected]
    assert told(await read_history(engine, "a@x.io"), first, silent, third, fourth, fifth) == expected


async def test_a_record_that_an_undo_has_brought_back_was_not_created_once_more(engine: ImportEngine) -> None:
    first = await engine.run("_email,_name\na@x.io,Ann\nb@x.io,B\n")
    replaced = await engine.run("_email,_name\nb@x.io,B\n", replace=True)
    back = await undo(engine, replaced)
    silent = await engine.run("_email,_name\na@x.io,Anna\n", undoable=False)
    items = told(await read_history(engine, "a@x.io"), first, replaced, back, silent)
    assert [each[:2] for each in items] == [("updated", 3), ("removed", 1), ("created", 0)]
