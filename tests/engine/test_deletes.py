"""A file of keys in the mode delete: the records that rows name are removed, all at once, and counted row by row."""

import asyncio
from typing import Any

import pytest

from app.auth.identity import Identity
from app.auth.keys import create_key
from app.imports.plan import Options, find_contradictions
from app.imports.single.write import write_record
from app.imports.staged.changes import load_changes
from app.runs.deletion import sweep_overlays
from app.runs.holding.brakes import Brakes
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import resume_run
from app.runs.model import Run
from app.runs.states import State
from app.storage.retention import tombstones
from tests.engine.conftest import ImportEngine, law
from tests.engine.test_replacements import HEADER, decide, numbers, rows
from tests.support.servers import PEPPER
from tests.support.undoing import undo

KEYS = "_email\n"


def keys(*named: int) -> str:
    return KEYS + "".join(f"{each:06}@example.com\n" for each in named)


def counts(run: Run) -> tuple[Any, ...]:
    law(run)
    return run.state, run.updated, run.unchanged, run.skipped, run.failed, run.removed


async def test_what_rows_name_is_removed_and_the_same_file_again_removes_nothing(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3, 4))
    file = keys(2, 3, 3, 9) + "no address\n"
    run = await engine.run(file, deletes=True)
    assert counts(run) == (State.FINISHED, 2, 2, 0, 1, 2)
    assert await numbers(engine) == [1, 4]
    assert counts(await engine.run(file, deletes=True)) == (State.FINISHED, 0, 4, 0, 1, 0)
    assert await numbers(engine) == [1, 4]
    everything = await engine.run(HEADER + rows(1, 4), deletes=True)  # other columns do not matter
    assert (everything.removed, await numbers(engine)) == (2, [])


async def test_in_batches_of_two_rows_it_comes_to_the_same(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=2, slice_seconds=0.0)
    await small.run(HEADER + rows(*range(1, 9)))
    run = await small.run(keys(8, 2, 9, 2, 4, 8, 6), deletes=True)
    assert counts(run) == (State.FINISHED, 4, 3, 0, 0, 4)
    assert await numbers(small) == [1, 3, 5, 7]


async def test_a_dry_run_shows_what_it_would_remove_and_removes_it_once_committed(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    planned = await engine.run(keys(2, 3, 7), deletes=True, dry_run=True)
    assert counts(planned) == (State.PLANNED, 2, 1, 0, 0, 2)
    page = await load_changes(engine.runtime, planned, cursor=None, limit=10)
    assert [(each.key[:6], each.outcome, each.row) for each in page.changes] == [
        ("000002", "removed", 1),
        ("000003", "removed", 2),
    ]
    assert {each.field: bytes(each.before or b"") for each in page.changes[0].fields}["_name"] == b'"Ana"'
    assert await numbers(engine) == [1, 2, 3]
    await decide(engine, planned, resume_run)
    assert counts(await engine.finish(planned)) == (State.FINISHED, 2, 1, 0, 0, 2)
    assert await numbers(engine) == [1]


async def test_brakes_halt_it_before_anything_is_removed_and_no_share_is_too_large_by_itself(
    engine: ImportEngine,
) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    halted = await engine.run(keys(1, 2, 3), deletes=True, brakes=Brakes(max_removed=2))
    assert counts(halted) == (State.HALTED, 3, 0, 0, 0, 3)
    assert halted.fail_detail == "`maxRemoved` is 2, but 3 of 3 records would be removed. Nothing is written yet"
    share = await engine.run(keys(1, 2), deletes=True, brakes=Brakes(max_removed_share=0.5))
    assert (share.state, await numbers(engine)) == (State.HALTED, [1, 2, 3])
    assert counts(await engine.run(keys(1, 2, 3), deletes=True)) == (State.FINISHED, 3, 0, 0, 0, 3)


async def test_all_or_nothing_removes_nothing_if_a_row_fails(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2))
    run = await engine.run(keys(1) + "no address\n", deletes=True, on_error="rollback")
    assert (run.state, run.removed, run.failed, await numbers(engine)) == (State.FAILED, 0, 1, [1, 2])


async def test_what_others_write_meanwhile_is_met_in_the_order_of_acceptance(engine: ImportEngine) -> None:
    """1 and 2 are changed, 3 is deleted and 4 is created while it waits; 5 is written by a later import."""
    await engine.run(HEADER + rows(1, 2, 3, 5))
    older = await engine.submit(HEADER + rows(2, 4, name="Old"))
    planned = await engine.run(keys(1, 2, 3, 4, 5), deletes=True, dry_run=True)
    assert counts(planned) == (State.PLANNED, 4, 1, 0, 0, 4)
    await engine.finish(older)
    await engine.sql(
        "UPDATE records SET data = data || '{\"x\": 1}', updated_at = now() + interval '1 second' "
        "WHERE account_id = :a AND key LIKE '000001%'",
        a=engine.account_id,
    )
    await engine.sql("DELETE FROM records WHERE account_id = :a AND key LIKE '000003%'", a=engine.account_id)
    await engine.run(HEADER + rows(5, name="Late"))
    await decide(engine, planned, resume_run)
    halted = await engine.finish(planned)
    assert counts(halted) == (State.HALTED, 3, 1, 1, 0, 3)
    assert str(halted.fail_detail).endswith("Records that would be removed: 3 instead of 4")
    await decide(engine, halted, resume_run)
    ended = await engine.finish(halted)
    assert counts(ended) == (State.FINISHED, 3, 1, 1, 0, 3)
    assert (await numbers(engine), (await engine.record("000005@example.com") or {})["_name"]) == ([5], "Late")


@pytest.mark.parametrize("staged", [False, True])
async def test_an_older_import_does_not_create_again_what_a_later_one_has_removed(
    engine: ImportEngine, staged: bool
) -> None:
    """1 is there, 2 and 3 are not, when 1 and 2 are to be removed; the older import comes after that."""
    await engine.run(HEADER + rows(1))
    older = await engine.submit(HEADER + rows(1, 2, 3, name="Old"), staged=staged)
    if staged:
        waiting = await engine.submit(HEADER + rows(2, name="Wait"), dry_run=True)
        waiting = await engine.finish(waiting)
    removal = await engine.run(keys(1, 2), deletes=True)
    assert counts(removal) == (State.FINISHED, 1, 1, 0, 0, 1)
    await engine.sql("UPDATE runs SET finished_at = now() - interval '2 years' WHERE id = :id", id=removal.id)
    async with engine.runtime.database.transaction() as session:
        await tombstones.prune(session, 700)
        await tombstones.forget(session, 700)
    await sweep_overlays(engine.runtime)  # both keep what the older one has to know
    ended = await engine.finish(older)
    assert counts(ended)[:4] == (State.FINISHED, 0, 0, 2)
    assert (ended.created, await numbers(engine)) == (1, [3])
    if staged:
        await decide(engine, waiting, resume_run)
        again = await engine.finish(waiting)
        assert (again.state, again.skipped, again.created) == (State.HALTED, 1, 0)
        await decide(engine, again, cancel_run)
    await sweep_overlays(engine.runtime)
    left = await engine.sql("SELECT FROM staged_records WHERE account_id = :a", a=engine.account_id)
    assert (left, await numbers(engine)) == ([], [3])


async def test_a_single_write_while_it_is_applied_is_met_before_it_or_after_it(
    engine: ImportEngine, request: pytest.FixtureRequest
) -> None:
    async with engine.runtime.database.transaction() as session:
        key = await create_key(session, account=request.node.nodeid, scopes=["admin"], label="test", pepper=PEPPER)
    sender = Identity(key.partition(":")[0])
    await engine.run(HEADER + rows(*range(1, 40)))
    run = await engine.submit(keys(*range(1, 40)), deletes=True)

    async def write() -> None:
        for number in range(1, 40):
            record = {"_email": f"{number:06}@example.com", "_name": "Single"}
            await write_record(engine.runtime, engine.account_id, "contacts", record, Options(), sender=sender)

    ended, _ = await asyncio.gather(engine.finish(run), write())
    law(ended)
    assert ended.updated + ended.skipped == 39
    assert len(await numbers(engine)) == 39  # each was accepted later


async def test_undo_brings_the_records_back_byte_for_byte(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(*range(1, 30)))
    stored = "SELECT key, data::text, created_at, name FROM records WHERE account_id = :a ORDER BY key"
    before = await engine.sql(stored, a=engine.account_id)
    run = await engine.run(keys(*range(5, 40)), deletes=True)
    assert (run.removed, len(await numbers(engine))) == (25, 4)
    undone = await undo(engine, run)
    assert (undone.state, undone.created) == (State.FINISHED, 25)
    assert await engine.sql(stored, a=engine.account_id) == before
    assert counts(await engine.run(keys(5), deletes=True, undoable=False)) == (State.FINISHED, 1, 0, 0, 0, 1)


@pytest.mark.parametrize(
    "options",
    [
        {"replace": True},
        {"override_existing": False},
        {"only_empty": True},
        {"duplicates": "first"},
        {"on_error": "stop"},
    ],
)
def test_what_says_how_rows_meet_records_is_refused(options: dict[str, Any]) -> None:
    assert list(find_contradictions(Options(deletes=True, **options)))
