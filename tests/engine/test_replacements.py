"""A file that replaces a type: what no row names is removed, with everything else at once, unless a brake stops it."""

import asyncio
from typing import Any

import pytest

from app.errors import Refused
from app.runs.holding.brakes import Brakes
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import resume_run
from app.runs.model import Run
from app.runs.states import State
from app.storage import records
from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name,_points\n"
HALF = Brakes(max_removed_share=0.5)


def rows(*numbers: int, name: str = "Ana") -> str:
    return "".join(f"{number:06}@example.com,{name},{number}\n" for number in numbers)


async def numbers(engine: ImportEngine) -> list[int]:
    return [int(key.partition("@")[0]) for key in await engine.keys()]


async def test_what_no_row_names_is_removed_and_counted(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3, 4))
    run = await engine.run(HEADER + rows(3, name="Eva") + rows(4, 5), replace=True, brakes=HALF)
    law(run)
    assert (run.state, run.created, run.updated, run.unchanged, run.removed) == (State.FINISHED, 1, 1, 1, 2)
    assert await numbers(engine) == [3, 4, 5]


async def test_a_row_that_fails_spares_its_record(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    run = await engine.run(HEADER + rows(1) + "000002@example.com,Bob,many\n", replace=True, brakes=HALF)
    law(run)
    assert (run.failed, run.removed, await numbers(engine)) == (1, 1, [1, 2])


@pytest.mark.parametrize(
    "data", [HEADER, HEADER + "not an address,Ana,1\n" * 3, HEADER + "000001@example.com,A,many\n"]
)
async def test_a_file_without_a_good_row_removes_nothing_and_says_so(engine: ImportEngine, data: str) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    for brakes in (HALF, None):
        run = await engine.run(data, replace=True, brakes=brakes)
        law(run)
        assert (run.state, run.removed, await numbers(engine)) == (State.FINISHED, 0, [1, 2, 3])
        assert [each["code"] for each in run.warnings] == ["nothing_replaced"]


async def test_records_that_exist_may_be_left_alone_and_are_named_all_the_same(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    run = await engine.run(HEADER + rows(2, 3, 4, name="Eva"), replace=True, override_existing=False)
    law(run)
    assert (run.created, run.skipped, run.removed, await numbers(engine)) == (1, 2, 1, [2, 3, 4])
    assert (await engine.record("000002@example.com") or {})["_name"] == "Ana"


async def test_a_brake_halts_it_before_anything_is_written_and_says_both_numbers(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3, 4))
    halted = await engine.run(HEADER + rows(4, name="Eva"), replace=True, brakes=HALF)
    law(halted)
    assert (halted.state, halted.step, halted.removed, halted.updated) == (State.HALTED, "apply", 3, 1)
    assert halted.fail_detail == (
        "`maxRemovedShare` is 0.5, but 3 of 4 records would be removed. Nothing is written yet"
    )
    assert (await engine.record("000004@example.com") or {})["_name"] == "Ana"

    await decide(engine, halted, resume_run)
    ended = await engine.finish(halted)
    law(ended)
    assert (ended.state, ended.removed, ended.updated, await numbers(engine)) == (State.FINISHED, 3, 1, [4])
    assert (await engine.record("000004@example.com") or {})["_name"] == "Eva"


async def test_a_brake_stops_what_is_to_be_removed_only_since_all_rows_were_staged(engine: ImportEngine) -> None:
    """An older import goes on in the turns between, and what it brings would be removed at once."""
    await engine.run(HEADER + rows(1, 2, 3, 4))
    older = await engine.submit(HEADER + rows(5, 6, 7))
    run = await engine.slice(await engine.submit(HEADER + rows(1, 2, 3), replace=True, brakes=HALF))
    assert (run.state, run.step, run.removed) == (State.RUNNING, "apply", 1)
    await engine.finish(older)
    halted = await engine.finish(run)
    law(halted)
    assert (halted.state, halted.fail_code, halted.removed) == (State.HALTED, "brake", 4)
    assert halted.fail_detail == (
        "`maxRemovedShare` is 0.5, but 4 of 7 records would be removed. Nothing is written yet"
    )
    assert await numbers(engine) == [1, 2, 3, 4, 5, 6, 7]
    await decide(engine, halted, resume_run)
    assert ((await engine.finish(halted)).state, await numbers(engine)) == (State.FINISHED, [1, 2, 3])


async def test_cancelled_it_has_written_nothing_and_counts_nothing(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3, 4))
    halted = await engine.run(HEADER + rows(4, 5) + "bad,Ana,1\n", replace=True, brakes=HALF)
    cancelled = await decide(engine, halted, cancel_run)
    law(cancelled)
    assert (cancelled.success, cancelled.failed, cancelled.removed, cancelled.remaining) == (0, 1, 0, 2)
    assert await numbers(engine) == [1, 2, 3, 4]


async def test_every_brake_counts_what_the_whole_file_would_do(engine: ImportEngine) -> None:
    await engine.run(HEADER + rows(1, 2, 3))
    data = HEADER + rows(1, name="Eva") + rows(2, 4) + "bad,Ana,1\n"
    for brakes, why in (
        (Brakes(max_errors=0), "`maxErrors` is 0, but 1 of 4 rows failed"),
        (Brakes(max_created=0), "`maxCreated` is 0, but 1 would be created"),
        (Brakes(max_updated=0), "`maxUpdated` is 0, but 1 would be changed"),
        (Brakes(max_removed=0), "`maxRemoved` is 0, but 1 of 3 records would be removed"),
        (Brakes(min_rows=5), "`minRows` is 5, but the file has 4"),
    ):
        halted = await engine.with_settings(batch_rows=1).run(data, replace=True, brakes=brakes)
        assert (halted.state, halted.fail_detail) == (State.HALTED, f"{why}. Nothing is written yet")
        assert sum(group["count"] for group in halted.error_summary) == 1  # the report is whole
        await decide(engine, halted, cancel_run)
    assert await numbers(engine) == [1, 2, 3]


async def add_coupon_sets(engine: ImportEngine, *names: str) -> None:
    await engine.sql(
        "INSERT INTO coupon_sets (account_id, id, name, created_at, updated_at) "
        "SELECT :account, unnest(CAST(:sets AS text[])), '', now(), now()",
        account=engine.account_id,
        sets=list(names),
    )


async def test_a_record_may_be_deleted_between_two_rows_of_its_key(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first row changes nothing and locks nothing. The record stays deleted, as its second row says."""
    real_lock = records.lock

    async def lock_late(*given: Any, **overlay: Any) -> Any:
        await engine.sql("DELETE FROM records WHERE account_id = :id AND key LIKE '000001%'", id=engine.account_id)
        return await real_lock(*given, **overlay)

    monkeypatch.setattr("app.storage.records.lock", lock_late)
    await engine.run(HEADER + rows(1, 2))
    run = await engine.run(HEADER + rows(1, 2) + rows(1, 2, name="Eva"), replace=True)
    law(run)
    assert (run.state, run.updated, run.unchanged, run.skipped) == (State.FINISHED, 1, 2, 1)
    assert [(each["code"], each["count"]) for each in run.warnings if each["code"] != "duplicate_key"] == [
        ("deleted_meanwhile", 1)
    ]
    assert await numbers(engine) == [2]


async def test_coupons_of_other_sets_stay(engine: ImportEngine) -> None:
    await add_coupon_sets(engine, "spring", "autumn")
    for name, code in (("spring", "S1"), ("spring", "S2"), ("autumn", "A1")):
        await engine.run(f"code\n{code}\n", "coupons", constants={"couponSetId": f'"{name}"'})
    run = await engine.run(
        "code\nS2\nS3\n", "coupons", constants={"couponSetId": '"spring"'}, replace=True, brakes=HALF
    )
    assert (run.state, run.fail_detail, run.removed) == (State.FINISHED, None, 1)
    assert await engine.keys("coupons") == ["A1", "S2", "S3"]


async def test_an_older_import_of_other_coupons_goes_on_after_a_replacement(engine: ImportEngine) -> None:
    """Only the coupons of one set are replaced: an older file for another set loses nothing, one for the same does."""
    await add_coupon_sets(engine, "spring", "autumn")
    waiting = [
        await engine.submit(f"code\n{code}\n", "coupons", constants={"couponSetId": f'"{name}"'}, staged=staged)
        for name, code, staged in (("autumn", "A1", False), ("autumn", "A2", True), ("spring", "S1", False))
    ]
    await engine.run("code\nS2\n", "coupons", constants={"couponSetId": '"spring"'}, replace=True)
    ended = [await engine.finish(run) for run in waiting]
    assert [(run.created, run.skipped) for run in ended] == [(1, 0), (1, 0), (0, 1)]
    assert await engine.keys("coupons") == ["A1", "A2", "S2"]


async def test_a_replacement_that_has_replaced_nothing_keeps_no_older_import_from_its_records(
    engine: ImportEngine,
) -> None:
    older = await engine.submit(HEADER + rows(1))
    assert (await engine.run(HEADER, replace=True)).warnings[0]["code"] == "nothing_replaced"
    assert (await engine.finish(older)).created == 1


async def test_a_type_whose_keys_are_made_here_needs_a_column_for_them(engine: ImportEngine) -> None:
    with pytest.raises(Refused, match="`replace` needs a column for `_id`"):
        await engine.submit("title\nShirt\n", "shop-products", replace=True)


async def test_readers_see_all_of_the_old_or_all_of_the_new(engine: ImportEngine) -> None:
    """500 records are replaced by 500 others, in small batches; a reader looks all the time."""
    await read_while_replacing(engine.with_settings(batch_rows=50), 500)


@pytest.mark.slow
async def test_readers_see_all_of_100_000_records_or_all_of_100_000_others(engine: ImportEngine) -> None:
    await read_while_replacing(engine, 100_000)


async def read_while_replacing(engine: ImportEngine, size: int) -> None:
    await engine.run(HEADER + rows(*range(size)))
    run = await engine.submit(HEADER + rows(*range(size, 2 * size)), replace=True, brakes=Brakes(max_removed_share=1.0))
    replacing = asyncio.create_task(engine.finish(run))
    seen = set()
    while not replacing.done():
        async with engine.runtime.database.snapshot() as session:
            found = await records.page(
                session, engine.account_id, "contacts", after=None, limit=2 * size, max_bytes=10**9
            )
        seen.add((len(found.rows), found.rows[0]["key"], found.rows[-1]["key"]))
    first, second = (f"{number:06}@example.com" for number in (size - 1, size))
    old, new = (size, f"{0:06}@example.com", first), (size, second, f"{2 * size - 1:06}@example.com")
    ended = await replacing
    law(ended)
    assert (ended.created, ended.removed) == (size, size)
    assert old in seen
    assert seen <= {old, new}
    assert await numbers(engine) == list(range(size, 2 * size))


async def decide(engine: ImportEngine, run: Run, decision) -> Run:  # type: ignore[no-untyped-def]
    decided: Run = await decision(engine.runtime, engine.runtime.database.transaction(), run)
    return decided
