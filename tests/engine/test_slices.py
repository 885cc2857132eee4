"""Slices, leases and fences: a run goes on wherever it was left, and only one worker can move it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.imports import slice as slices
from app.imports.merging.batch_merge import PreparedBatch
from app.imports.slice import limit_batches, open_slice
from app.runs.model import Run, list_interruptions
from app.storage import claims
from tests.engine.conftest import ImportEngine, law

HEADER = "_email,_name\n"


def contacts(count: int, name: str = "Ann") -> str:
    return HEADER + "".join(f"c{number:05d}@example.org,{name}\n" for number in range(count))


async def claimed(engine: ImportEngine, run: Run, lease: float = 60) -> Run:
    from app.runs.model import run_from

    async with engine.runtime.database.transaction() as session:
        row = await claims.claim(session, run.id, lease=lease)
    assert row is not None
    return run_from(row)


async def test_a_slice_stops_when_its_time_is_up_and_the_next_goes_on(engine: ImportEngine) -> None:
    engine = engine.with_settings(batch_rows=100, slice_seconds=0.000001)
    run = await engine.submit(contacts(1000))

    seen = []
    while not (run := await engine.slice(run)).done:
        seen.append(run.created)
        law(run)

    assert seen == [100, 200, 300, 400, 500, 600, 700, 800, 900]
    assert (run.created, run.attempt) == (1000, 10)


async def test_a_run_that_is_being_worked_on_cannot_be_claimed(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(10))
    await claimed(engine, run)
    assert (await engine.slice(run)).created == 0


async def test_a_zombie_that_lost_its_lease_writes_nothing(engine: ImportEngine) -> None:
    engine = engine.with_settings(batch_rows=10)
    run = await engine.submit(contacts(20))
    zombie = await claimed(engine, run, lease=0)
    with open_slice(engine.runtime, zombie) as slice_:
        prepared = await slice_.start_reading(slice_.position)
        async with engine.runtime.database.transaction() as session:
            assert [row["id"] for row in await claims.rescue(session, backoff=0) if row["id"] == run.id]
        finished = await engine.finish(run)

        with pytest.raises(Exception):  # noqa: B017  the fence or the ledger's key, whichever stands first
            await slice_.start_writing(prepared, ()).done

    after = await engine.get(run)
    assert (finished.created, after.created, after.batches) == (20, 20, 2)
    assert len(await engine.keys()) == 20


async def test_a_rescued_run_counts_a_crash_and_a_batch_forgives_it(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(10))
    await claimed(engine, run, lease=0)
    async with engine.runtime.database.transaction() as session:
        await claims.rescue(session, backoff=0)

    assert (await engine.get(run)).crashes == 1
    after = await engine.finish(run)
    assert after.crashes == 0
    assert [(each.row, each.lost) for each in list_interruptions(after)] == [(0, True)]


async def test_suspects_go_one_at_a_time_even_when_two_workers_ask_in_the_same_moment(engine: ImportEngine) -> None:
    """Side by side, a file that kills its workers would take its neighbour along: each crash counts against both."""
    poison, innocent = await crashed(engine, contacts(10)), await crashed(engine, contacts(20))
    async with engine.runtime.database.transaction() as session:
        assert await claims.claim(session, poison.id, lease=60)
        beside = asyncio.create_task(engine.slice(innocent))
        await asyncio.wait([beside], timeout=0.2)

    assert ((await beside).created, (await beside).attempt) == (0, innocent.attempt), "both were claimed"
    assert innocent.id not in await due(engine)
    assert not await counts_as_waiting(engine, innocent), "slices would end early for an import that may not begin"

    async with engine.runtime.database.transaction() as session:
        await claims.release(session, poison.id, (await engine.get(poison)).attempt)
    assert await counts_as_waiting(engine, innocent)
    assert (await engine.finish(innocent)).created == 20
    assert (await engine.finish(poison)).state == "finished"


async def test_a_suspect_does_not_wait_for_imports_that_never_crashed(engine: ImportEngine) -> None:
    other, suspect = await engine.submit(contacts(10)), await crashed(engine, contacts(20))
    await claimed(engine, other)
    assert (await engine.finish(suspect)).created == 20


async def test_a_run_that_becomes_a_suspect_while_it_is_claimed_is_left_to_the_next_job(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(10))
    async with engine.runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET crashes = 1 WHERE id = :id"), {"id": run.id})
        claiming = asyncio.create_task(engine.slice(run))
        await somebody_waits(engine, "transactionid")

    assert (await claiming).attempt == 0
    assert run.id in await due(engine)
    assert (await engine.finish(run)).created == 10


async def test_the_lease_of_a_suspect_that_had_to_wait_is_a_whole_one(engine: ImportEngine) -> None:
    first, second = await crashed(engine, contacts(10)), await crashed(engine, contacts(10))
    async with engine.runtime.database.transaction() as session:
        await claims.claim(session, first.id, lease=0)
        claiming = asyncio.create_task(claimed(engine, second))
        await somebody_waits(engine, "advisory")
        waited = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    await claiming

    lease = await engine.sql("SELECT lease_until - interval '60 s' AS began FROM runs WHERE id = :id", id=second.id)
    assert lease[0]["began"] > waited
    await engine.sql("UPDATE runs SET lease_until = NULL WHERE id IN (:a, :b)", a=first.id, b=second.id)
    assert (await engine.finish(first)).done
    assert (await engine.finish(second)).done


async def test_suspects_with_a_stored_file_go_before_suspects_to_be_fetched(engine: ImportEngine) -> None:
    """A server that trickles would hold them up for minutes."""
    away, here = await crashed(engine, contacts(10)), await crashed(engine, contacts(10))
    await engine.sql(
        "UPDATE runs SET blob = NULL, step = 'fetch', due_at = now() - interval '2 h' WHERE id = :id", id=away.id
    )
    await engine.sql("UPDATE runs SET due_at = now() - interval '1 h' WHERE id = :id", id=here.id)

    assert [each for each in await due(engine) if each in (away.id, here.id)] == [here.id]
    await engine.finish(here)
    assert away.id in await due(engine)
    await engine.sql("DELETE FROM runs WHERE id = :id", id=away.id)


async def counts_as_waiting(engine: ImportEngine, run: Run) -> bool:
    """Whether there would be anyone if there were only this run and those at work. (Others share the database.)"""
    others = "UPDATE runs SET due_at = 'infinity' WHERE id <> :id AND lease_until IS NULL"
    async with engine.runtime.database.transaction() as session, session.begin_nested() as only_asked:
        await session.execute(text(others), {"id": run.id})
        waits = await claims.anyone_waits(session)
        await only_asked.rollback()
    return waits


async def somebody_waits(engine: ImportEngine, kind: str) -> None:
    waiting = "SELECT 1 FROM pg_locks l JOIN pg_stat_activity USING (pid) WHERE NOT granted AND locktype = :kind"
    while not await engine.sql(f"{waiting} AND datname = current_database()", kind=kind):
        await asyncio.sleep(0.01)


async def crashed(engine: ImportEngine, data: str) -> Run:
    """A run whose worker has died once."""
    run = await engine.submit(data)
    await claimed(engine, run, lease=0)
    async with engine.runtime.database.transaction() as session:
        await claims.rescue(session, backoff=0)
    run = await engine.get(run)
    assert run.crashes == 1
    return run


async def due(engine: ImportEngine) -> list[str]:
    async with engine.runtime.database.transaction() as session:
        return [row["id"] for row in await claims.due(session)]


async def test_a_run_whose_file_is_gone_fails_with_a_reason(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(10))
    engine.runtime.blobs.delete(run.blob or "")
    run = await engine.finish(run)
    assert (run.state, run.fail_code, run.remaining) == ("failed", "source_missing", 10)
    law(run)


async def test_counts_that_do_not_add_up_fail_the_run(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(10))
    await engine.sql("UPDATE runs SET total = 11 WHERE id = :id", id=run.id)
    run = await engine.finish(run)
    assert (run.state, run.fail_code, run.remaining) == ("failed", "count_mismatch", 1)


async def test_imports_of_one_account_take_turns(engine: ImportEngine) -> None:
    engine = engine.with_settings(batch_rows=50, slice_seconds=0.000001)
    runs = [await engine.submit(contacts(200, name)) for name in ("A", "B")]
    await asyncio.gather(*(engine.finish(run) for run in runs))
    first, second = [await engine.get(run) for run in runs]
    law(first)
    law(second)
    assert second.processed == first.processed == 200
    rows = await engine.sql(
        "SELECT DISTINCT data->>'_name' AS name FROM records WHERE account_id = :a", a=engine.account_id
    )
    assert [row["name"] for row in rows] == ["B"]


async def test_a_stored_file_that_is_damaged_fails_the_run_with_a_reason(engine: ImportEngine) -> None:
    """The stored file of release 0.1, which has no digests; tests/accidents has those with them."""
    run = await engine.submit(contacts(10))
    await engine.sql("UPDATE runs SET blob_digests = NULL WHERE id = :id", id=run.id)
    engine.runtime.blobs.path(run.blob or "").write_bytes(b"")
    run = await engine.finish(run)
    assert (run.state, run.fail_code) == ("failed", "unreadable_file")


@pytest.mark.parametrize("shared", [True, False])
async def test_neighbouring_batches_end_in_their_order_whether_or_not_they_share_keys(
    engine: ImportEngine, shared: bool
) -> None:
    """Every key comes twice: in batches that follow each other, or far apart."""
    first = [f"c{number:03d}@example.org,A{number}" for number in range(200)]
    second = [f"c{number:03d}@example.org,B{number}" for number in range(200)]
    rows = [row for pair in zip(first, second, strict=True) for row in pair] if shared else first + second
    engine = engine.with_settings(batch_rows=7)

    run = await engine.run(HEADER + "\n".join(rows) + "\n")

    assert (run.created, run.updated, run.failed) == (200, 200, 0)
    assert (await engine.record("c199@example.org") or {})["_name"] == "B199"
    ledger = await engine.sql("SELECT number, at_row FROM batches WHERE run_id = :id ORDER BY number", id=run.id)
    assert [row["at_row"] for row in ledger] == [number * 7 for number in range(58)]
    law(run)


@pytest.mark.parametrize(("pool", "slices", "most"), [(12, 2, 3), (100, 2, 3), (11, 2, 2), (12, 3, 2), (1, 2, 2)])
async def test_batches_leave_connections_to_transfers_and_to_the_renewal_of_leases(
    engine: ImportEngine, pool: int, slices: int, most: int
) -> None:
    given = {"database_pool": pool, "slices_at_once": slices, "fetches_at_once": 4}
    assert limit_batches(engine.with_settings(**given).runtime) == most


IN_ORDER = [(what, row) for row in (0, 2, 4) for what in ("begins", "merged")]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ("abcda", [("begins", 0), ("begins", 2), ("merged", 2), ("merged", 0), ("begins", 4), ("merged", 4)]),
        ("abccd", IN_ORDER),
    ],
)
async def test_a_batch_waits_for_those_under_way_that_share_a_key_or_look_at_records(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch, names: str, order: list[tuple[str, int]]
) -> None:
    """The first is held up. If the third took a lock that it shares, the first would wait for it, and it for the commit
    of the first. The second waits only if it has a key twice, and without a lock: if the third went before, an import
    that began in between could close a circle."""
    seen: list[tuple[str, int]] = []
    merging, staged = slices.merge_batch, asyncio.Event()
    staging = slices.stage_batch

    async def watch_staging(session: Any, prepared: PreparedBatch) -> None:
        await staging(session, prepared)
        if prepared.checked.start.row == 4:
            staged.set()

    async def watch(session: Any, target: Any, prepared: PreparedBatch, options: Any) -> Any:
        row = prepared.checked.start.row
        seen.append(("begins", row))
        if row == 0:
            await asyncio.wait_for(staged.wait(), 10)
            await asyncio.sleep(0.05)
        outcome = await merging(session, target, prepared, options)
        seen.append(("merged", row))
        return outcome

    monkeypatch.setattr(slices, "merge_batch", watch)
    monkeypatch.setattr(slices, "stage_batch", watch_staging)
    rows = "".join(f"{name}@x.io,{number}\n" for number, name in enumerate(names))
    run = await engine.with_settings(batch_rows=2).run(HEADER + rows)
    assert (run.created, run.updated, run.attempt) == (4, 1, 1)
    assert seen == order
