"""A direct import that meets a brake stops between two batches: what it has written is within the limit and told."""

import asyncio

from app.runs.holding.brakes import Brakes
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import resume_run
from app.runs.model import Run
from app.runs.states import State
from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name,_points\n"
GOOD = "".join(f"{row}@example.com,Ana,{row}\n" for row in range(1, 21))
BAD = "".join(f"{row}@example.com,Ana,many\n" for row in range(21, 31))


async def decide(engine: ImportEngine, run: Run, decision) -> Run:  # type: ignore[no-untyped-def]
    decided: Run = await decision(engine.runtime, engine.runtime.database.transaction(), run)
    return decided


async def test_it_halts_before_the_batch_that_goes_too_far_and_says_what_is_written(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=5)
    halted = await small.run(HEADER + GOOD + BAD, brakes=Brakes(max_errors=7))
    law(halted)
    assert (halted.state, halted.created, halted.failed, halted.remaining) == (State.HALTED, 20, 5, 5)
    assert halted.fail_detail == (
        "`maxErrors` is 7, but 10 of 30 rows failed. The first row that failed is on line 27, column `_points`: "
        "The value is not a whole number. The import stopped before row 26; records created so far: 20, changed: 0"
    )
    assert len(await small.keys()) == 20

    await decide(small, halted, resume_run)
    ended = await small.finish(halted)
    law(ended)
    assert (ended.state, ended.created, ended.failed) == (State.FINISHED, 20, 10)
    assert sum(group["count"] for group in ended.error_summary) == 10


async def test_cancelled_it_keeps_what_it_has_written(engine: ImportEngine) -> None:
    small = engine.with_settings(batch_rows=5)
    halted = await small.run(HEADER + GOOD, brakes=Brakes(max_created=12))
    assert (halted.state, halted.created) == (State.HALTED, 10)
    cancelled = await decide(small, halted, cancel_run)
    law(cancelled)
    assert (cancelled.state, cancelled.created, cancelled.remaining) == (State.CANCELLED, 10, 10)
    assert len(await small.keys()) == 10


async def test_a_file_of_one_batch_that_goes_too_far_writes_nothing(engine: ImportEngine) -> None:
    await engine.run(HEADER + GOOD)
    changed = HEADER + GOOD.replace("Ana", "Eva") + BAD
    for brakes, why in (
        (Brakes(max_updated=19), "`maxUpdated` is 19, but 20 would be changed. The first row"),
        (Brakes(max_error_share=0.33), "`maxErrorShare` is 0.33, but 10 of 30 rows failed. The first row"),
        (Brakes(min_rows=31), "`minRows` is 31, but the file has 30. The first row"),
    ):
        halted = await engine.run(changed, brakes=brakes)
        assert (halted.state, halted.updated, halted.remaining) == (State.HALTED, 0, 30)
        assert (halted.fail_detail or "").startswith(why)
        assert (halted.fail_detail or "").endswith(". The import stopped before row 1; nothing is written")
    assert (await engine.record("1@example.com") or {})["_name"] == "Ana"
    within = Brakes(max_updated=20, max_error_share=0.34, max_errors=10, min_rows=30, max_created=0)
    assert (await engine.run(changed, brakes=within)).state is State.FINISHED


async def test_a_file_without_rows_is_too_short_for_min_rows(engine: ImportEngine) -> None:
    halted = await engine.run(HEADER, brakes=Brakes(min_rows=1))
    assert (halted.state, halted.fail_detail) == (
        State.HALTED,
        "`minRows` is 1, but the file has 0. The import stopped before row 1; nothing is written",
    )
    await decide(engine, halted, resume_run)
    assert (await engine.finish(halted)).state is State.FINISHED


async def test_a_halted_import_loses_to_one_that_was_accepted_later(engine: ImportEngine) -> None:
    halted = await engine.run(HEADER + "a@example.com,Old,1\n", brakes=Brakes(max_created=0))
    await engine.run(HEADER + "a@example.com,New,2\n")
    await decide(engine, halted, resume_run)
    ended = await engine.finish(halted)
    assert (ended.skipped, (await engine.record("a@example.com") or {})["_name"]) == (1, "New")


async def test_two_batches_under_way_stop_together(engine: ImportEngine) -> None:
    """While one batch is merged the next is too: neither is written once the first goes too far."""
    small = engine.with_settings(batch_rows=1)
    halted = await small.run(HEADER + GOOD, brakes=Brakes(max_created=7))
    assert (halted.created, halted.at_row, len(await small.keys())) == (7, 7, 7)
    assert len(asyncio.all_tasks()) < 10


async def test_a_brake_judges_only_the_rows_before_the_one_that_ends_the_import(engine: ImportEngine) -> None:
    """The rows that follow it in its batch are not written, so they are no reason to halt."""
    rows = "a@example.com,Ana,1\nb@example.com,Bob,many\n"
    stopped = await engine.run(HEADER + rows + GOOD, on_error="stop", brakes=Brakes(max_created=1))
    assert (stopped.state, stopped.fail_code, stopped.created) == (State.FAILED, "row_failed", 1)
    halted = await engine.run(HEADER + GOOD + rows, on_error="stop", brakes=Brakes(max_created=19))
    assert (halted.state, halted.fail_code, halted.created) == (State.HALTED, "brake", 0)


async def test_a_staged_one_has_room_or_writes_nothing(engine: ImportEngine) -> None:
    quota = "UPDATE accounts SET quotas = CAST(:quotas AS jsonb) WHERE id = :account"
    await engine.run(HEADER + "other@example.com,Ana,1\n")
    await engine.sql(quota, quotas='{"records": 20}', account=engine.account_id)
    planned = await engine.run(HEADER + GOOD, dry_run=True)
    await decide(engine, planned, resume_run)
    halted = await engine.finish(planned)
    assert (halted.state, halted.fail_code, halted.step) == ("halted", "record_quota", "apply")
    assert await engine.keys() == ["other@example.com"]
    await engine.sql("DELETE FROM records WHERE account_id = :account", account=engine.account_id)
    await decide(engine, halted, resume_run)
    ended = await engine.finish(halted)
    law(ended)
    assert (ended.state, ended.created, len(await engine.keys())) == (State.FINISHED, 20, 20)
    # At the quota, rows that only change records go on.
    assert (await engine.run(HEADER + GOOD.replace("Ana", "Eva"), on_error="rollback")).state is State.FINISHED


async def test_one_that_had_no_room_keeps_its_brakes_when_it_is_resumed(engine: ImportEngine) -> None:
    quota = "UPDATE accounts SET quotas = CAST(:quotas AS jsonb) WHERE id = :account"
    await engine.sql(quota, quotas='{"records": 7}', account=engine.account_id)
    small = engine.with_settings(batch_rows=5)
    halted = await small.run(HEADER + GOOD, brakes=Brakes(max_created=12))
    assert (halted.created, halted.fail_code) == (5, "record_quota")
    await engine.sql(quota, quotas="{}", account=engine.account_id)

    for _ in range(2):  # sent again it does nothing more
        assert (await decide(small, halted, resume_run)).state is State.QUEUED
    braked = await small.finish(halted)
    assert (braked.state, braked.created, braked.fail_code) == (State.HALTED, 10, "brake")
    await decide(small, halted, resume_run)
    ended = await small.finish(halted)
    law(ended)
    assert (ended.state, ended.created) == (State.FINISHED, 20)
