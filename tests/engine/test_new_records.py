"""What is expected of rows, that all are new or most the same again, changes nothing of what they come to."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.imports.merging import batch_merge
from app.imports.merging.expectations import expect_after
from app.imports.rows import BatchOutcome
from app.runs.model import Run
from app.storage import merge
from app.storage.merge import MergeTarget
from tests.engine.conftest import ImportEngine, law
from tests.support.sweeps import examples

HEAD = "_email,_name,_points\n"
ROWS = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from(["Ann", "Bob", ""]), st.sampled_from(["1", "x"])), max_size=9
)
OPTIONS: Any = st.sampled_from(
    [{}, {"duplicates": "first"}, {"duplicates": "error"}, {"override_existing": False}, {"only_empty": True}]
)
WRITTEN = """
SELECT key, data::text AS data, run_row, repeats_row, run_id = :run AS mine, run_seq = :seq AS marked,
    created_at < updated_at AS changed, rank() OVER (ORDER BY created_at) AS place
FROM records WHERE account_id = :account AND type = 'contacts' AND key <> 'other@x.io' ORDER BY key"""
LEDGER = """
SELECT number, at_offset, at_row, created, updated, unchanged, skipped, failed, problem_count, problems, outcomes
FROM batches WHERE run_id = :run ORDER BY number"""
CREATED = (
    "SELECT keys, rows FROM created_records WHERE run_id = :run ORDER BY rows"  # neighbours are merged side by side
)
CHANGED = "SELECT key, outcome, run_row, before::text AS before FROM record_changes WHERE run_id = :run ORDER BY key"


async def describe(engine: ImportEngine, run: Run) -> list[Any]:
    """What the import has left: records, ledger and journal."""
    found: list[Any] = [run.error_summary, run.warnings]
    for statement in (WRITTEN, LEDGER, CREATED, CHANGED):
        given = {"run": run.id, "seq": run.seq, "account": engine.account_id}
        wanted = {name: value for name, value in given.items() if f":{name}" in statement}
        found.append([dict(row) for row in await engine.sql(statement, **wanted)])
    return found


@given(rows=ROWS, options=OPTIONS, batch_rows=st.integers(2, 6))
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_ways_leave_the_same_records_ledger_and_journal(
    engine: ImportEngine, rows: list[tuple[int, str, str]], options: dict[str, Any], batch_rows: int
) -> None:
    """A type that has another record is merged into."""
    file = HEAD + "".join(f"k{key}@x.io,{name},{points}\n" for key, name, points in rows)
    left = []
    for others in ("", "other@x.io,Oda,1\n"):
        await engine.sql("DELETE FROM records WHERE account_id = :account", account=engine.account_id)
        if others:
            await engine.run(HEAD + others)
        run = await engine.with_settings(batch_rows=batch_rows).run(file, **options)
        law(run)
        assert run.state == "finished"
        left.append(await describe(engine, run))
    assert left[0] == left[1]


@given(files=st.lists(ROWS, min_size=2, max_size=2), options=OPTIONS, batch_rows=st.integers(2, 6))
@settings(max_examples=examples(6), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_who_only_looks_at_records_leaves_the_same_as_who_locks_them(
    engine: ImportEngine,
    files: list[list[tuple[int, str, str]]],
    options: dict[str, Any],
    batch_rows: int,
) -> None:
    before, file = (HEAD + "".join(f"k{key}@x.io,{name},{points}\n" for key, name, points in each) for each in files)
    left = []
    for place in (merge.SAME_RECORDS, merge.RECORDS):
        await engine.sql("DELETE FROM records WHERE account_id = :account", account=engine.account_id)
        await engine.run(before + "other@x.io,Oda,1\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merge, "SAME_RECORDS", place)
            run = await engine.with_settings(batch_rows=batch_rows).run(file, **options)
        law(run)
        left.append(await describe(engine, run))
    assert left[0] == left[1]


async def test_a_record_that_stays_as_it_is_is_not_written(engine: ImportEngine) -> None:
    """A lock is written to the record, and the first one on a page after a checkpoint takes the whole page in the
    WAL."""
    file = HEAD + "a@x.io,Ann,1\nb@x.io,Bob,1\nc@x.io,Cem,1\n"
    await engine.run(file)
    run = await engine.run(file.replace("Bob", "Bo"))
    assert (run.updated, run.unchanged) == (1, 2)
    locked = "SELECT key FROM records WHERE account_id = :account AND xmax <> 0"
    assert [row["key"] for row in await engine.sql(locked, account=engine.account_id)] == ["b@x.io"]
    merged = await engine.run(file.replace("Ann", "An").replace("Cem", "Cy") + "d@x.io,Dan,1\n")
    assert (merged.created, merged.updated, merged.unchanged) == (1, 3, 0)


async def test_nobody_deletes_a_record_between_two_rows_of_its_key(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is the same is only looked at, but not if a later row is to find it."""
    await engine.run(HEAD + "a@x.io,Ann,1\nb@x.io,Bob,1\n")
    free = "SELECT key FROM records WHERE account_id = :account FOR UPDATE SKIP LOCKED"
    found: list[Any] = []
    apply_repeated_keys = batch_merge.apply_repeated_keys

    async def watched(*given: Any, **named: Any) -> None:
        found.extend(await engine.sql(free, account=engine.account_id))
        await apply_repeated_keys(*given, **named)

    monkeypatch.setattr(batch_merge, "apply_repeated_keys", watched)
    run = await engine.run(HEAD + "a@x.io,Ann,1\nb@x.io,Bob,1\na@x.io,Cem,1\n")
    assert ([row["key"] for row in found], run.unchanged, run.updated) == ([], 2, 1)


async def test_a_record_of_a_later_import_is_told_from_one_that_stays_the_same(engine: ImportEngine) -> None:
    file = HEAD + "a@x.io,Ann,1\n"
    older, newer = await engine.submit(file), await engine.submit(file)
    assert (await engine.finish(newer)).created == 1
    older = await engine.finish(older)
    assert (older.skipped, older.unchanged, older.warnings[-1]["code"]) == (1, 0, "superseded")


async def test_what_is_expected_of_a_batch_is_what_became_of_those_before(engine: ImportEngine) -> None:
    """Looking before each change takes longer than it saves, so a file in which all has changed is soon merged."""
    target = MergeTarget(engine.account_id, "contacts", "run", 1, "overwrite", expects="new")
    after = [
        expect_after(target, BatchOutcome(failed=2)),
        expect_after(target, BatchOutcome(created=2)),
        expect_after(target, BatchOutcome(created=1, unchanged=2)),
        (same := expect_after(target, BatchOutcome(updated=1, unchanged=3))),
        expect_after(same, BatchOutcome(created=2)),
        expect_after(same, BatchOutcome(updated=1, unchanged=2)),
        expect_after(replace(target, staged=True), BatchOutcome(unchanged=2)),
    ]
    assert [each.expects for each in after] == ["new", "new", "", "same", "", "", "new"]


async def test_a_first_load_expects_no_conflict_until_it_has_met_one(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []
    merge_new = merge.merge_new

    async def watched(*given: Any) -> Any:
        tried.append((found := await merge_new(*given)) is not None)
        return found

    monkeypatch.setattr(merge, "merge_new", watched)
    engine = engine.with_settings(batch_rows=2)
    keys = ["a", "b", "c", "d", "a", "e", *"fghijklm"]
    run = await engine.run(HEAD + "".join(f"{key}@x.io,{number},1\n" for number, key in enumerate(keys)))
    assert (run.created, run.updated) == (13, 1)
    # Neighbours are merged side by side: which of them is the first, and how many are under way yet, may differ.
    assert tried.count(False) == 1
    assert len(tried) in (2, 3, 4, 5)
    many = len(tried)
    await engine.run(HEAD + "a@x.io,Ann,1\n")
    assert len(tried) == many


async def test_a_key_that_somebody_writes_meanwhile_is_waited_for_and_updated(engine: ImportEngine) -> None:
    run = await engine.submit(HEAD + "a@x.io,Ann,1\nb@x.io,Bob,1\n")
    insert = (
        "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row) "
        "VALUES (:account, 'contacts', 'b@x.io', '{}', now(), now(), 0, 1)"
    )
    async with engine.runtime.database.transaction() as session:
        await session.execute(merge.text(insert), {"account": engine.account_id})
        working = asyncio.create_task(engine.finish(run))
        waits = "SELECT count(*) AS many FROM pg_stat_activity WHERE wait_event = 'transactionid'"
        while not (await engine.sql(waits))[0]["many"]:
            await asyncio.sleep(0.01)
    run = await working
    assert (run.state, run.created, run.updated) == ("finished", 1, 1)
    assert await engine.record("b@x.io") == {"_email": "b@x.io", "_name": "Bob", "_points": 1}
