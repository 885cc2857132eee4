"""What a run is and how it ends, whatever its kind: kinds, steps, endings, and who is the owner of a stored file."""

import os
import time

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.errors import Refused
from app.runs.deletion import ORPHAN_SECONDS, delete_run, sweep_blobs
from app.runs.kinds import Kind, Step
from app.runs.lifecycle import Stopping, end_run, work_on
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage import claims, runs
from app.storage.blobs import BlobMissing, FileBlobs
from app.storage.database import PLAN_VERSION, newest_migration
from tests.engine.conftest import ImportEngine

ONE = "_email,_name\nana@example.com,Ana\n"


async def test_an_accepted_file_is_an_import_whose_rows_are_to_be_written(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    assert (run.kind, run.step, run.seq, run.parent_id) == (Kind.IMPORT, Step.WRITE, 1, None)


async def test_a_poll_reads_no_more_of_a_run_than_it_shows(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    async with engine.runtime.database.read() as session:
        polled, whole = [await runs.get(session, engine.account_id, run.id, whole=each) for each in (False, True)]
    assert polled is not None
    assert whole is not None
    assert set(polled) == set(whole)
    assert (polled["blob_digests"], "columns" in polled["plan"]) == (None, False)
    assert (len(whole["blob_digests"]) > 0, "columns" in whole["plan"]) == (True, True)


@pytest.mark.parametrize(("blob", "step"), [("blob", "write"), ("NULL", "fetch")])
async def test_a_run_that_release_0_1_inserts_goes_on_by_what_its_file_says(
    engine: ImportEngine, blob: str, step: str
) -> None:
    run = await engine.submit(ONE)
    await engine.sql(f"UPDATE runs SET step = NULL, blob = {blob} WHERE id = :id", id=run.id)
    assert (await engine.get(run)).step == step
    async with engine.runtime.database.transaction() as session:
        assert [row["step"] for row in await claims.due(session) if row["id"] == run.id] == [step]
        claimed = await claims.claim(session, run.id, lease=60)
    assert claimed is not None
    assert claimed["step"] == step


async def test_a_file_that_a_worker_of_release_0_1_has_fetched_is_not_fetched_again(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    await engine.sql("UPDATE runs SET step = 'fetch' WHERE id = :id", id=run.id)
    assert (await engine.get(run)).step is Step.WRITE
    assert (await engine.finish(run)).created == 1


async def test_what_a_newer_release_has_accepted_is_left_alone_and_holds_nobody_up(engine: ImportEngine) -> None:
    newer, ours = await engine.submit(ONE), await engine.submit(ONE)
    async with engine.runtime.database.transaction() as session:
        await session.execute(text("ALTER TABLE runs DROP CONSTRAINT known_kind"))
        await session.execute(text("UPDATE runs SET kind = 'newer' WHERE id = :id"), {"id": newer.id})
        due = [row["id"] for row in await claims.due(session) if row["id"] in (newer.id, ours.id)]
        claimed = await claims.claim(session, newer.id, lease=60)
        await session.rollback()
    assert (due, claimed) == ([ours.id], None)


async def test_a_plan_of_a_newer_release_is_left_alone_and_holds_nobody_up(engine: ImportEngine) -> None:
    newer, ours = await engine.submit(ONE), await engine.submit(ONE)
    await engine.sql("UPDATE runs SET plan_version = :newer WHERE id = :id", newer=PLAN_VERSION + 1, id=newer.id)
    async with engine.runtime.database.transaction() as session:
        assert [row["id"] for row in await claims.due(session) if row["id"] in (newer.id, ours.id)] == [ours.id]
        assert await claims.claim(session, newer.id, lease=60) is None
        assert await claims.count_unknown(session) == 1
    await engine.sql("UPDATE runs SET plan_version = 2 WHERE id = :id", id=newer.id)
    assert (await engine.finish(newer)).created == 1


async def test_a_run_of_a_newer_release_is_not_rescued_by_this_one(engine: ImportEngine) -> None:
    newer = await engine.submit(ONE)
    statement = (
        "UPDATE runs SET plan_version = :newer, state = 'running', lease_until = now() - interval '1 s' WHERE id = :id"
    )
    async with engine.runtime.database.transaction() as session:
        await session.execute(text(f"SET LOCAL sluice.plan_version = {PLAN_VERSION + 1}"))
        await session.execute(text(statement), {"newer": PLAN_VERSION + 1, "id": newer.id})
        assert newer.id not in [row["id"] for row in await claims.rescue(session, backoff=0)]
        await session.rollback()


async def test_a_worker_that_does_not_look_at_versions_cannot_claim_a_newer_plan(engine: ImportEngine) -> None:
    """As release 0.1 claims: PostgreSQL itself refuses."""
    run = await engine.submit(ONE)
    claim = (
        "UPDATE runs SET state = 'running', attempt = attempt + 1, lease_until = now() + interval '9 s' WHERE id = $1"
    )
    old = await asyncpg.connect(engine.runtime.settings.database_url.get_secret_value())  # type: ignore[union-attr]
    assert await old.execute(claim, run.id) == "UPDATE 0"
    await old.execute("UPDATE runs SET plan_version = 1 WHERE id = $1", run.id)
    assert await old.execute(claim, run.id) == "UPDATE 1"
    await old.execute("UPDATE runs SET lease_until = NULL WHERE id = $1", run.id)
    await old.close()
    assert (await engine.finish(run)).created == 1


async def test_on_a_schema_that_is_too_new_nothing_is_claimed(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    async with engine.runtime.database.transaction() as session:
        await session.execute(text("UPDATE schema_compat SET oldest = '9999'"))
        assert await claims.claim(session, run.id, lease=60) is None
        await session.rollback()
    assert (await engine.finish(run)).created == 1


async def test_what_a_migration_breaks_is_no_crash_of_the_import(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)

    async def be_migrated(_runtime: Runtime, _run: Run, _stopping: Stopping) -> bool:
        await engine.sql("UPDATE schema_compat SET oldest = '9999'")
        await engine.sql("UPDATE alembic_version SET version_num = '9999'")
        await engine.sql("SELECT a_column_that_is_gone FROM runs")
        return True

    try:
        await work_on(engine.runtime, run.id, be_migrated)
    finally:
        await engine.sql("UPDATE schema_compat SET oldest = '0003'")
        await engine.sql("UPDATE alembic_version SET version_num = :newest", newest=newest_migration())
    assert (await engine.get(run)).crashes == 0
    await engine.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
    assert (await engine.finish(run)).created == 1


async def test_an_import_without_a_number_cannot_be_stored(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    with pytest.raises(IntegrityError, match="import_has_a_number"):
        await engine.sql("UPDATE runs SET seq = NULL WHERE id = :id", id=run.id)


async def test_a_run_that_has_ended_does_not_end_again(engine: ImportEngine) -> None:
    run = await engine.run(ONE)
    assert await ended(engine, run, State.FAILED) is None
    assert (await engine.get(run)).state is State.FINISHED


async def test_a_run_ends_for_the_attempt_that_has_it_and_no_other(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    async with engine.runtime.database.transaction() as session:
        await claims.claim(session, run.id, lease=60)
    assert await ended(engine, run, State.FAILED) is None
    assert await ended(engine, await engine.get(run), State.FAILED) is not None


async def test_a_queued_run_may_fail_but_cannot_finish(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    assert await ended(engine, run, State.FINISHED) is None
    failed = await ended(engine, run, State.FAILED)
    assert failed is not None
    assert (failed.state, failed.fail_code, failed.done) == (State.FAILED, "source_missing", True)


async def ended(engine: ImportEngine, run: Run, state: State) -> Run | None:
    code = "source_missing" if state is State.FAILED else None
    async with engine.runtime.database.transaction() as session:
        return await end_run(session, run.id, run.attempt, state, code=code, detail=code)


async def test_an_open_run_is_not_deleted(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    with pytest.raises(Refused) as refused:
        await delete_run(engine.runtime, engine.account_id, run.id)
    assert refused.value.code == "import_not_ended"
    assert is_stored(engine, run)


async def test_a_deleted_run_takes_its_file_along(engine: ImportEngine) -> None:
    run = await engine.run(ONE)
    await delete_run(engine.runtime, engine.account_id, run.id)
    assert not is_stored(engine, run)


async def test_a_file_that_another_run_needs_stays_until_that_one_is_deleted_too(engine: ImportEngine) -> None:
    first, second = await engine.run(ONE), await engine.run(ONE)
    await engine.sql("UPDATE runs SET blob = :blob WHERE id = :id", blob=first.blob, id=second.id)
    await delete_run(engine.runtime, engine.account_id, first.id)
    assert is_stored(engine, first)
    await delete_run(engine.runtime, engine.account_id, second.id)
    assert not is_stored(engine, first)


async def test_the_sweep_deletes_old_files_without_an_owner_and_no_others(engine: ImportEngine) -> None:
    owned = await engine.submit(ONE)
    orphan, young = stored_blob(engine), stored_blob(engine)
    for name in (owned.blob or "", orphan):
        make_old(engine, name)
    await sweep_blobs(engine.runtime)
    assert is_stored(engine, owned)
    assert [exists(engine, name) for name in (orphan, young)] == [False, True]


def stored_blob(engine: ImportEngine) -> str:
    writer = engine.runtime.blobs.create()
    writer.write(b"nobody's")
    return writer.commit()


def make_old(engine: ImportEngine, name: str) -> None:
    blobs = engine.runtime.blobs
    assert isinstance(blobs, FileBlobs)
    then = time.time() - ORPHAN_SECONDS - 60
    os.utime(blobs.path(name), (then, then))


def is_stored(engine: ImportEngine, run: Run) -> bool:
    return exists(engine, run.blob or "")


def exists(engine: ImportEngine, name: str) -> bool:
    try:
        engine.runtime.blobs.open(name).close()
    except BlobMissing:
        return False
    return True
