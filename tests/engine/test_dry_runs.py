"""A dry run shows exactly what the import would do; all or nothing is that; and who is to stop, stops at the first."""

import json
from typing import Any

import pytest

from app.imports.row_files.download import WantedRows, open_rows
from app.imports.staged.changes import load_changes, read_changes
from app.runs.changes.change import RecordChange
from app.runs.changes.file import write_file
from app.runs.holding.brakes import Brakes
from app.runs.holding.held import Approval, commit_plan, resume_run
from app.runs.model import Run
from app.runs.states import State
from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name,_points\n"
BEFORE = HEADER + "a@x.org,Ana,1\nb@x.org,Bob,2\nc@x.org,Cem,3\n"
FILE = HEADER + "a@x.org,Anna,1\nb@x.org,Bob,2\nd@x.org,Dora,many\ne@x.org,Eva,5\n"
COUNTS = ("total", "created", "updated", "unchanged", "skipped", "failed", "removed")


def count(run: Run) -> dict[str, Any]:
    law(run)
    return {name: getattr(run, name) for name in COUNTS}


async def list_changes(engine: ImportEngine, run: Run, **wanted: Any) -> list[RecordChange]:
    """Page after page of one change each."""
    found, cursor = [], None
    while True:
        page = await load_changes(engine.runtime, run, cursor=cursor, limit=1, **wanted)
        found += page.changes
        if (cursor := page.cursor) is None:
            return found


async def commit(engine: ImportEngine, run: Run, plan: int | None = None) -> Run:
    opening = engine.runtime.database.transaction()
    return await engine.finish(await commit_plan(engine.runtime, opening, run, Approval(plan)))


@pytest.mark.parametrize("options", [{}, {"replace": True}, {"only_empty": True}, {"override_existing": False}])
async def test_a_dry_run_counts_what_the_import_comes_to_and_lists_every_change(
    engine: ImportEngine, options: dict[str, Any]
) -> None:
    await engine.run(BEFORE)
    records = await dump(engine)
    planned = await engine.run(FILE, dry_run=True, **options)
    assert (planned.state, planned.fail_code, await dump(engine)) == (State.PLANNED, None, records)
    changes = await list_changes(engine, planned)
    kinds = [change.outcome for change in changes]
    assert (kinds.count("created"), kinds.count("updated")) == (planned.created, planned.updated)
    assert kinds.count("removed") == (planned.removed or 0)
    for outcome in ("created", "updated", "removed"):
        of_kind = [change for change in changes if change.outcome == outcome]
        assert await list_changes(engine, planned, outcomes=[outcome]) == of_kind

    finished = await commit(engine, planned)
    assert (finished.state, count(finished)) == (State.FINISHED, count(planned))
    assert (await commit_plan(engine.runtime, engine.runtime.database.transaction(), finished)).id == finished.id
    after = await dump(engine)
    assert {change.key for change in changes} == {
        key for key in records.keys() | after if records.get(key) != after.get(key)
    }


async def test_changes_are_told_field_by_field_on_pages_and_in_files(engine: ImportEngine) -> None:
    await engine.run(BEFORE)
    planned = await engine.run(FILE, dry_run=True, replace=True)
    pages = [piece async for piece in write_file(read_changes(engine.runtime, planned), "csv")]
    assert b"".join(pages).decode().splitlines() == [
        "type,key,outcome,row,field,before,after",
        "contacts,a@x.org,updated,1,_name,Ana,Anna",
        "contacts,e@x.org,created,4,_name,,Eva",
        "contacts,e@x.org,created,4,_email,,e@x.org",
        "contacts,e@x.org,created,4,_points,,5",
        "contacts,c@x.org,removed,,_name,Cem,",
        "contacts,c@x.org,removed,,_email,c@x.org,",
        "contacts,c@x.org,removed,,_points,3,",
    ]
    lines = [piece async for piece in write_file(read_changes(engine.runtime, planned), "jsonl")]
    assert b"".join(lines).splitlines()[0] == (
        b'{"type":"contacts","key":"a@x.org","outcome":"updated",'
        b'"fields":[{"field":"_name","before":"Ana","after":"Anna"}],"row":1}'
    )


async def test_a_plan_whose_records_others_have_changed_is_halted_with_the_differences(engine: ImportEngine) -> None:
    await engine.run(BEFORE)
    older = await engine.submit(HEADER + "a@x.org,,7\n")
    planned = await engine.run(FILE, dry_run=True)
    await engine.finish(older)  # changes another field of a record that the plan writes: all counts stay the same
    halted = await commit(engine, planned)
    assert (halted.state, halted.fail_code) == (State.HALTED, "plan_changed")
    assert halted.fail_detail == (
        "Others have changed 1 record that it would write since this was shown. The counts are the same"
    )
    assert (await engine.record("a@x.org") or {})["_name"] == "Ana"
    assert [change.key for change in await list_changes(engine, halted)] == ["a@x.org", "e@x.org"]

    await engine.sql("DELETE FROM records WHERE account_id = :a AND key = 'a@x.org'", a=engine.account_id)
    again = await commit(engine, halted, halted.plan_number)
    assert (again.state, again.created, again.updated, again.skipped) == (State.HALTED, 1, 0, 1)
    assert (again.fail_detail or "").endswith("Records that would be changed: 0 instead of 1")
    ended = await commit(engine, again, again.plan_number)
    assert (ended.state, await engine.keys()) == (State.FINISHED, ["b@x.org", "c@x.org", "e@x.org"])


@pytest.mark.parametrize("bad", [0, 4, 9])
@pytest.mark.parametrize("options", [{}, {"dry_run": True}, {"replace": True}])
async def test_with_one_bad_row_anywhere_all_or_nothing_leaves_the_records_untouched(
    engine: ImportEngine, bad: int, options: dict[str, Any]
) -> None:
    await engine.run(BEFORE)
    records = await dump(engine)
    rows = [f"{row}@x.org,Nobody,{row}\n" for row in "abcdefghij"]
    rows = [row.replace(f",{row[0]}\n", ",many\n" if index == bad else ",7\n") for index, row in enumerate(rows)]
    small = engine.with_settings(batch_rows=3)
    failed = await small.run(HEADER + "".join(rows), on_error="rollback", **options)
    law(failed)
    assert (failed.state, failed.fail_code, failed.failed, failed.success) == (State.FAILED, "rolled_back", 1, 0)
    assert failed.fail_detail == "1 of 10 rows failed, so nothing is written: `onError` is rollback"
    assert [group["count"] for group in failed.error_summary] == [1]
    assert await dump(engine) == records
    assert await engine.sql("SELECT FROM staged_records WHERE account_id = :a", a=engine.account_id) == []


async def test_all_or_nothing_tells_all_problems_and_writes_a_good_file_at_once(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=2)
    failed = await small.run(
        HEADER + "a@x.org,Ana,1\nnobody,Bob,2\nc@x.org,Cem,3\nd@x.org,Dora,x\n", on_error="rollback"
    )
    assert (failed.failed, len(failed.error_summary), await engine.keys()) == (2, 2, [])
    good = await small.run(BEFORE, on_error="rollback")
    assert (good.state, good.created, good.options["staged"]) == (State.FINISHED, 3, True)


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_to_stop_is_to_write_the_rows_before_the_first_bad_one_and_no_other(
    engine: ImportEngine, size: int
) -> None:
    small = engine.with_settings(batch_rows=size, slice_seconds=0.0)
    rows = [f"{row}@x.org,Nobody,{'many' if row == 'e' else 7}\n" for row in "abcdefgh"]
    stopped = await small.run(HEADER + "".join(rows), on_error="stop")
    law(stopped)
    assert (stopped.state, stopped.fail_code) == (State.FAILED, "row_failed")
    assert (stopped.created, stopped.failed, stopped.remaining) == (4, 1, 3)
    assert stopped.fail_detail == (
        "The first row that failed is on line 6, column `_points`: The value is not a whole number. "
        "The rows before it are written; records created: 4, changed: 0; rows that were not looked at: 3"
    )
    assert await engine.keys() == [f"{row}@x.org" for row in "abcd"]
    assert [group["count"] for group in stopped.error_summary] == [1]
    good = await small.run(HEADER + "".join(row for row in rows if "many" not in row), on_error="stop")
    assert (good.state, good.created, good.unchanged) == (State.FINISHED, 3, 4)


async def test_to_stop_counts_what_only_shows_when_rows_are_merged(engine: ImportEngine) -> None:
    rows = "a@x.org,Ana,1\na@x.org,Eva,2\nc@x.org,Cem,3\n"
    stopped = await engine.run(HEADER + rows, on_error="stop", duplicates="error")
    assert (stopped.state, stopped.created, stopped.failed, stopped.remaining) == (State.FAILED, 1, 1, 1)
    assert (await engine.record("a@x.org") or {})["_name"] == "Ana"


async def test_a_brake_of_a_dry_run_is_told_with_the_plan(engine: ImportEngine) -> None:
    planned = await engine.run(FILE, dry_run=True, brakes=Brakes(max_errors=0))
    assert (planned.state, planned.fail_code, planned.failed) == (State.PLANNED, "brake", 1)
    resumed = await resume_run(engine.runtime, engine.runtime.database.transaction(), planned)
    assert (await engine.finish(resumed)).state is State.FINISHED


async def dump(engine: ImportEngine) -> dict[str, str]:
    """All records as they are stored, but for the marks of imports that change nothing."""
    rows = await engine.sql(
        "SELECT key, data::text, created_at, updated_at, run_id FROM records WHERE account_id = :a", a=engine.account_id
    )
    return {row["key"]: repr(dict(row)) for row in rows}


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_to_stop_at_a_quote_that_is_never_closed_leaves_what_is_behind_it(
    engine: ImportEngine, place: int
) -> None:
    """The lines behind it are read together with it, and however few rows are wanted."""
    rows = [f"{number}@example.com,Ana,{number}\n" for number in range(5)]
    rows[place] = '"' + rows[place]
    small = engine.with_settings(batch_rows=3)
    stopped = await small.run(HEADER + "".join(rows), on_error="stop")
    law(stopped)
    assert (stopped.fail_code, stopped.created, stopped.failed, stopped.remaining) == (
        "row_failed",
        place,
        1,
        4 - place,
    )
    wanted = WantedRows(format="jsonl")
    told = b"".join([part async for part in await open_rows(small.runtime, stopped, wanted)]).decode().splitlines()
    assert [json.loads(line)["_outcome"] for line in told] == ["created"] * place + ["failed"]
