"""A staged import makes the same of the records as one that is written directly, and all of it at once."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.errors import Refused
from app.runs.deletion import delete_run, sweep_overlays
from app.runs.holding.brakes import Brakes
from app.runs.holding.held import Approval, resume_run
from app.runs.model import Run
from app.storage import batches
from app.storage.applying import closing, removal
from tests.engine.conftest import ImportEngine
from tests.support.sweeps import examples

HEADER = "_email,_name,_surname,_points\n"
CELLS = st.sampled_from(["", "", "x", "y", "z"])
ROWS = st.lists(
    st.tuples(st.sampled_from("abcde"), CELLS, CELLS, st.sampled_from(["", "1", "2", "bad"])), min_size=1, max_size=8
)
OPTIONS = st.fixed_dictionaries(
    {"duplicates": st.sampled_from(["last", "last", "first"]), "blank_cells": st.sampled_from(["keep", "clear"])},
    optional={"only_empty": st.just(True)},
) | st.fixed_dictionaries({"override_existing": st.just(False)})
ANY_OPTIONS = OPTIONS | st.just({"duplicates": "error"})
EXAMPLES = settings(
    deadline=None,
    max_examples=examples(8),
    phases=[Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


async def test_nothing_of_a_staged_import_is_seen_before_all_of_it(engine: ImportEngine) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\n")
    run = await engine.submit(HEADER + "a@x.org,Anna,,\nb@x.org,Bob,,2\nc@x.org,Cem,,3\n", staged=True)
    run = await engine.slice(run)
    assert (run.step, run.created, run.updated, run.unchanged, run.remaining) == ("apply", 1, 1, 1, 0)
    assert await engine.keys() == ["a@x.org", "b@x.org"]
    assert await engine.record("a@x.org") == {"_email": "a@x.org", "_name": "Ana", "_points": 1}

    run = await engine.slice(run)
    assert (run.state, run.created, run.updated, run.unchanged) == ("finished", 1, 1, 1)
    assert await engine.record("a@x.org") == {"_email": "a@x.org", "_name": "Anna", "_points": 1}
    assert await engine.keys() == ["a@x.org", "b@x.org", "c@x.org"]
    assert await count_staged(engine) == 0


@EXAMPLES
@given(before=ROWS, older=ROWS, rows=ROWS, newer=ROWS, options=OPTIONS, size=st.integers(1, 4))
async def test_a_staged_import_makes_the_same_of_the_records_as_a_direct_one(
    engine: ImportEngine, before: Any, older: Any, rows: Any, newer: Any, options: dict[str, Any], size: int
) -> None:
    """Whatever is in its rows and however they are cut into batches; and if others have written in between, as a direct
    import would do that comes after them."""
    small = engine.with_settings(batch_rows=size, slice_seconds=0.0)
    ends = []
    for staged in (True, False):
        await engine.sql("DELETE FROM records WHERE account_id = :a", a=engine.account_id)
        await engine.run(build_file(before))
        waiting = await engine.submit(build_file(older))
        run = await small.submit(build_file(rows), staged=staged, **options)
        while staged and run.step != "apply":
            run = await small.slice(run)
        later = await engine.submit(build_file(newer))
        await engine.finish(waiting)
        await engine.finish(later)
        run = await small.finish(run)
        ends.append((await list_records(engine), count_rows(run, rows), run.error_summary))
    assert ends[0] == ends[1]
    assert await count_staged(engine) == 0


@EXAMPLES
@given(before=ROWS, rows=ROWS, options=ANY_OPTIONS, size=st.integers(1, 4))
async def test_a_staged_import_that_is_left_alone_is_told_like_a_direct_one(
    engine: ImportEngine, before: Any, rows: Any, options: dict[str, Any], size: int
) -> None:
    small = engine.with_settings(batch_rows=size)
    ends = []
    for staged in (True, False):
        await engine.sql("DELETE FROM records WHERE account_id = :a", a=engine.account_id)
        await engine.run(build_file(before))
        run = await small.run(build_file(rows), staged=staged, **options)
        counts = (run.created, run.updated, run.unchanged, run.skipped, run.failed)
        ends.append((await list_records(engine), counts, run.error_summary, run.warnings))
    assert ends[0] == ends[1]


def build_file(rows: Any) -> str:
    return HEADER + "".join(f"{key}@x.org,{','.join(cells)}\n" for key, *cells in rows)


def count_rows(run: Run, rows: Any) -> tuple[int, ...]:
    """A row that changed nothing when it was staged stays unchanged, also if a later import writes its record then. If
    somebody changes a record to which several rows have brought changes, these rows are counted alike."""
    if len({key for key, *_ in rows}) < len(rows):
        return run.created, run.updated + run.unchanged + run.skipped, run.failed
    return run.created, run.updated, run.unchanged + run.skipped, run.failed


async def list_records(engine: ImportEngine) -> list[Any]:
    """What a record holds, whether it was ever changed, and its place in the order of creation."""
    found = await engine.sql(
        "SELECT key, data, updated_at > created_at AS changed, updated_at >= created_at AS ordered, "
        "rank() OVER (ORDER BY created_at) AS place FROM records WHERE account_id = :a ORDER BY key",
        a=engine.account_id,
    )
    assert all(row["ordered"] for row in found)
    return [tuple(row.values()) for row in found]


async def count_staged(engine: ImportEngine) -> Any:
    tables = " UNION ALL ".join(f"SELECT account_id FROM {table}" for table in closing.OVERLAYS)
    counted = f"SELECT count(*) AS rows FROM ({tables}) AS staged WHERE account_id = :a"
    return (await engine.sql(counted, a=engine.account_id))[0]["rows"]


@pytest.mark.parametrize("replace", [True, False])
async def test_a_row_meets_what_the_batches_before_it_have_written(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    """Three batches are under way at a time. What a row takes back equals the record that is committed, so who only
    looked at that would leave it alone. Most rows of each batch change nothing, as is expected of the next one then."""
    real_add = batches.add

    async def add_slowly(*given: Any) -> None:
        await asyncio.sleep(0.05)
        await real_add(*given)

    monkeypatch.setattr("app.storage.batches.add", add_slowly)
    same = "".join(f"{name}@x.org,Eve,,4\n" for name in "pqr")
    await engine.run(HEADER + "a@x.org,Ana,,1\n" + same)
    there, back, other = "a@x.org,Bo,,2\n", "a@x.org,Ana,,1\n", "b@x.org,Cy,,3\n"
    rows = "".join(row + same for row in (there, back, there, other, back, "a@x.org,Bo,,bad\n"))
    run = await engine.submit(HEADER + rows, replace=replace)
    run = await engine.with_settings(batch_rows=4, slice_seconds=5.0).finish(run)
    assert (run.created, run.updated, run.unchanged, run.failed) == (1, 4, 18, 1)
    assert await engine.record("a@x.org") == {"_email": "a@x.org", "_name": "Ana", "_points": 1}


async def test_what_a_run_has_staged_goes_with_its_end_however_it_ends(engine: ImportEngine) -> None:
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Ana,,\n", staged=True))
    await sweep_overlays(engine.runtime)
    assert (run.step, await count_staged(engine)) == ("apply", 1)

    await engine.sql("UPDATE runs SET state = 'failed', fail_code = 'x', finished_at = now() WHERE id = :id", id=run.id)
    await sweep_overlays(engine.runtime)
    assert (await count_staged(engine), await engine.keys()) == (0, [])


async def test_a_replacement_removes_what_no_row_names(engine: ImportEngine) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\nc@x.org,Cem,,3\n")
    await engine.run("_email,_name\nother@x.org,Other\n", "contacts")
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Ana,,1\nb@x.org,Bo,,2\nd@x.org,,,\n", replace=True))
    assert (run.step, run.created, run.updated, run.unchanged, run.removed) == ("apply", 1, 1, 1, 2)
    assert await engine.keys() == ["a@x.org", "b@x.org", "c@x.org", "other@x.org"]

    run = await engine.slice(run)
    assert (run.state, run.removed, await engine.keys()) == ("finished", 2, ["a@x.org", "b@x.org", "d@x.org"])
    assert await count_staged(engine) == 0


@pytest.mark.parametrize("file", ["", "a@x.org,,,bad\n", "a@x.org\n,,,\n"])
async def test_a_file_without_a_good_row_removes_nothing(engine: ImportEngine, file: str) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\n")
    run = await engine.run(HEADER + file, replace=True)
    assert (run.state, run.removed, await engine.keys()) == ("finished", 0, ["a@x.org", "b@x.org"])


async def test_a_row_that_fails_spares_its_record_as_far_as_its_key_can_be_told(engine: ImportEngine) -> None:
    keys = [f"{name}@x.org" for name in ("cell", "long", "repeated", "short", "unnamed", "wide")]
    await engine.run(HEADER + "".join(f"{key},Ana,,1\n" for key in keys))
    rows = ["cell@x.org,,,bad", " SHORT@x.org ", "wide@x.org,,,1,2,3", "repeated@x.org,Bo,,1", "repeated@x.org,Cy,,1"]
    rows += ["x" * 300 + "@x.org,,,bad", 'long@x.org,"Ana"b,,1', "new@x.org,,,", ",,,1"]
    run = await engine.run(HEADER + "\n".join(rows), replace=True, duplicates="error")
    assert (run.created, run.updated, run.failed, run.removed) == (1, 1, 7, 1)
    assert await engine.keys() == sorted({*keys, "new@x.org"} - {"unnamed@x.org"})


async def test_a_replacement_in_small_batches_knows_all_the_keys(engine: ImportEngine) -> None:
    """Keys of rows that change nothing, that are written, that come again and that are left alone."""
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcdef"))
    rows = ["a@x.org,Ana,,1", "b@x.org,Bo,,1", "a@x.org,Ana,,1", "c@x.org,,,2", "b@x.org,Bo,,1", "a@x.org,Bo,,1"]
    run = await engine.submit(HEADER + "\n".join(rows), replace=True)
    run = await engine.with_settings(batch_rows=1).finish(run)
    assert (run.updated, run.unchanged, run.removed) == (3, 3, 3)
    assert await engine.keys() == ["a@x.org", "b@x.org", "c@x.org"]
    keep: dict[str, Any] = {"override_existing": False, "brakes": Brakes(max_removed_share=1)}
    run = await engine.run(HEADER + "b@x.org,x,,9\ng@x.org,,,\n", replace=True, **keep)
    assert (run.created, run.skipped, run.removed, await engine.keys()) == (1, 1, 2, ["b@x.org", "g@x.org"])


async def test_ranges_of_records_meet_the_named_keys_wherever_they_are_kept(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three records of a statement, two keys in a row: ranges and rows begin and end at different keys."""
    monkeypatch.setattr(removal, "NEXT_END", removal.NEXT_END.replace(str(removal.RANGE_KEYS - 1), "2"))
    monkeypatch.setattr(removal, "NAMED_TOGETHER", 2)
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcdefghij"))
    named = "".join(f"{key}@x.org,Ana,,1\n" for key in "jbhcfd")
    run = await engine.run(HEADER + named, replace=True)
    assert (run.unchanged, run.removed) == (6, 4)
    assert await engine.keys() == [f"{key}@x.org" for key in "bcdfhj"]


async def test_what_a_later_import_or_a_single_write_has_written_is_never_removed(engine: ImportEngine) -> None:
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcd"))
    brakes = Brakes(max_removed_share=1)
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Bo,,1\n", replace=True, brakes=brakes))
    assert run.removed == 3
    await engine.run(HEADER + "b@x.org,Ana,,1\nc@x.org,Bo,,1\ne@x.org,,,\n")
    run = await engine.finish(run)
    assert (run.removed, await engine.keys()) == (1, ["a@x.org", "b@x.org", "c@x.org", "e@x.org"])


async def test_a_record_that_is_deleted_while_its_row_is_staged_stays_deleted(engine: ImportEngine) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\n")
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Anna,,\nb@x.org,Bo,,\nc@x.org,,,\n", staged=True))
    await engine.sql("DELETE FROM records WHERE account_id = :a AND key = 'a@x.org'", a=engine.account_id)
    run = await engine.finish(run)
    assert (run.created, run.updated, run.skipped) == (1, 1, 1)
    assert [(each["code"], each["count"], each["samples"][0]["row"]) for each in run.warnings] == [
        ("deleted_meanwhile", 1, 1)
    ]
    assert await engine.keys() == ["b@x.org", "c@x.org"]


@pytest.mark.parametrize("kind", ["direct", "staged", "staged before"])
async def test_an_older_import_does_not_bring_back_what_a_later_one_has_replaced(
    engine: ImportEngine, kind: str
) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\n")
    older = await engine.submit(HEADER + "a@x.org,,x,\nb@x.org,,x,\nc@x.org,,x,\n", staged=kind != "direct")
    if kind == "staged before":
        await engine.slice(older)
    run = await engine.run(HEADER + "a@x.org,Anna,,1\nd@x.org,,,\n", replace=True)
    assert (run.removed, await engine.keys()) == (1, ["a@x.org", "d@x.org"])
    with pytest.raises(Refused, match="must not bring back what this one has removed"):
        await delete_run(engine.runtime, engine.account_id, run.id)
    older = await engine.finish(older)
    assert (older.skipped, await engine.keys()) == (3, ["a@x.org", "d@x.org"])
    await delete_run(engine.runtime, engine.account_id, run.id)
    assert await engine.record("a@x.org") == {"_email": "a@x.org", "_name": "Anna", "_points": 1}


async def test_a_replacement_that_would_remove_too_much_is_halted_and_somebody_decides(engine: ImportEngine) -> None:
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcd"))
    brakes = Brakes(max_removed_share=0.5)
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Bo,,1\ne@x.org,,,\n", replace=True, brakes=brakes))
    assert (run.state, run.step, run.created, run.updated, run.removed) == ("halted", "apply", 1, 1, 3)
    assert run.fail_detail == "`maxRemovedShare` is 0.5, but 3 of 4 records would be removed. Nothing is written yet"
    assert (await engine.slice(run)).attempt == run.attempt

    run = await engine.finish(await resume(engine, run))
    assert (run.state, run.removed, await engine.keys()) == ("finished", 3, ["a@x.org", "e@x.org"])
    assert await count_staged(engine) == 0


async def test_what_somebody_was_shown_is_done_or_nothing_and_then_it_is_shown_again(engine: ImportEngine) -> None:
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcde"))
    older = await engine.submit(HEADER + "b@x.org,Bo,,1\nf@x.org,,,\n")
    rows = "a@x.org,Bo,,1\nb@x.org,Bo,,1\nf@x.org,Fay,,\n"
    run = await engine.slice(await engine.submit(HEADER + rows, replace=True, brakes=Brakes(max_updated=0)))
    assert (run.state, run.created, run.updated, run.unchanged, run.removed) == ("halted", 1, 2, 0, 3)
    await engine.finish(older)
    await engine.run(HEADER + "a@x.org,,x,\nc@x.org,,x,\n")
    before = await list_records(engine)

    run = await engine.slice(await resume(engine, run))
    assert (run.state, run.fail_code, await list_records(engine)) == ("halted", "plan_changed", before)
    assert run.fail_detail == (
        "Others have changed 3 records that it would write since this was shown. "
        "Records that would be created: 0 instead of 1, changed: 1 instead of 2, removed: 2 instead of 3"
    )
    assert (run.created, run.updated, run.unchanged, run.skipped, run.removed) == (0, 1, 1, 1, 2)
    assert [(each["code"], each["count"]) for each in run.warnings] == [("superseded", 1)]

    run = await engine.slice(await resume(engine, run))
    assert (run.state, run.created, run.updated, run.unchanged, run.skipped, run.removed) == ("finished", 0, 1, 1, 1, 2)
    assert await engine.keys() == ["a@x.org", "b@x.org", "c@x.org", "f@x.org"]
    assert await engine.record("f@x.org") == {"_email": "f@x.org", "_name": "Fay"}


async def test_who_accepts_anything_gets_it_within_the_limits_that_he_gives(engine: ImportEngine) -> None:
    await engine.run(HEADER + "".join(f"{key}@x.org,Ana,,1\n" for key in "abcde"))
    rows = HEADER + "a@x.org,Bo,,1\nb@x.org,Bo,,1\n"
    run = await engine.slice(await engine.submit(rows, replace=True, brakes=Brakes(max_updated=0)))
    assert (run.state, run.updated, run.removed) == ("halted", 2, 3)
    run = await engine.slice(await resume(engine, run, Brakes(max_removed=2)))
    assert (run.state, run.fail_code) == ("halted", "brake")
    assert run.fail_detail == ("`maxRemoved` is 2, but 3 of 5 records would be removed. Nothing is written yet")
    await engine.run(HEADER + "a@x.org,Al,,1\nf@x.org,Fay,,\n")  # somebody else goes on writing
    run = await engine.slice(await resume(engine, run, Brakes(max_removed=3)))
    assert (run.state, run.updated, run.skipped, run.removed) == ("finished", 1, 1, 3)
    assert await engine.keys() == ["a@x.org", "b@x.org", "f@x.org"]


async def resume(engine: ImportEngine, run: Run, within: Brakes | None = None) -> Run:
    opening, approval = engine.runtime.database.transaction(), Approval(within=within)
    return await resume_run(engine.runtime, opening, run, approval)


@pytest.mark.parametrize("replace", [False, True])
async def test_what_is_being_written_while_an_overlay_is_applied_is_not_lost(
    engine: ImportEngine, replace: bool
) -> None:
    """A single write that has locked its record, and one that makes a record, commit while the overlay waits."""
    await engine.run(HEADER + "a@x.org,Ana,,1\nb@x.org,Bob,,2\nc@x.org,Cem,,3\n")
    rows = HEADER + "a@x.org,Bo,,\nb@x.org,Bo,,\nd@x.org,Bo,,\n"
    run = await engine.slice(await engine.submit(rows, staged=True, replace=replace))
    async with engine.runtime.database.transaction() as session:
        await session.execute(text(SINGLE_WRITE), {"a": engine.account_id, "seq": run.seq + 1})
        applying = asyncio.create_task(engine.slice(run))
        while not await engine.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
    run = await applying
    assert (run.state, run.created, run.updated, run.skipped) == ("finished", 0, 1, 2)
    single = {"single": True}
    assert [await engine.record(f"{key}@x.org") for key in "acd"] == [single, single, single]
    assert [(each["code"], each["count"]) for each in run.warnings] == [("superseded", 2)]


SINGLE_WRITE = """
INSERT INTO records AS r (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
SELECT :a, 'contacts', key || '@x.org', '{"single": true}', clock_timestamp(), clock_timestamp(), :seq, 1
FROM unnest('{a,c,d}'::text[]) AS keys(key)
ON CONFLICT (account_id, type, key) DO UPDATE SET data = excluded.data, run_seq = excluded.run_seq,
    updated_at = excluded.updated_at, run_id = NULL"""


async def test_batches_of_a_type_and_who_applies_an_overlay_to_it_keep_each_other_out(engine: ImportEngine) -> None:
    """New records, old ones and those to be removed are three passes over the keys, and a batch makes one of its own:
    side by side they could wait in a circle."""
    run = await engine.slice(await engine.submit(HEADER + "a@x.org,Bo,,1\n", replace=True))
    async with engine.runtime.database.transaction() as batch:
        await closing.enter_type(batch, engine.account_id, "contacts")
        applying = await begin_waiting(engine, run)
        assert await engine.keys() == []
    assert (await applying).state == "finished"

    later = await engine.submit(HEADER + "a@x.org,Cy,,1\n")
    async with engine.runtime.database.transaction() as applier:
        await closing.close_types(applier, engine.account_id, ["contacts"])
        writing = await begin_waiting(engine, later)
    assert (await writing).updated == 1


async def begin_waiting(engine: ImportEngine, run: Run) -> "asyncio.Task[Run]":
    """A slice of the run that has come to a lock."""
    waiting = asyncio.create_task(engine.slice(run))
    while not await engine.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        assert not waiting.done()
        await asyncio.sleep(0.01)
    return waiting


@pytest.mark.parametrize("staged", [True, False])
async def test_what_keeps_all_records_takes_none_from_an_older_import(engine: ImportEngine, *, staged: bool) -> None:
    await engine.run(HEADER + "a@x.org,Ana,,\n")
    older = await engine.submit(HEADER + "a@x.org,Anna,,\n")
    kept = await engine.run(HEADER + "a@x.org,Other,,\n", staged=staged, override_existing=False)
    older = await engine.finish(older)
    assert (kept.skipped, older.updated, (await engine.record("a@x.org") or {})["_name"]) == (1, 1, "Anna")
