"""A run that is held waits for somebody: it keeps its place, nobody works on it, and it goes on, ends or expires."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.deliveries.mail import build_mail
from app.errors import Halted, Refused
from app.runs.acceptance import ensure_room
from app.runs.deletion import delete_run
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import Opening, cancel_expired, resume_run
from app.runs.kinds import Kind
from app.runs.lifecycle import Stopping, hold_run, work_on
from app.runs.model import Run
from app.runs.states import State
from app.runs.status import retry_after
from app.runtime import Runtime
from app.storage import claims, notices
from tests.engine.conftest import ImportEngine

ONE = "_email,_name\nana@example.com,Ana\n"
WHY = "`maxErrors` is 20, but 37 of 100 rows failed"


async def halt(engine: ImportEngine, run: Run | None = None) -> Run:
    async def be_braked(_runtime: Runtime, _run: Run, _stopping: Stopping) -> bool:
        raise Halted("brake", WHY)

    run = run or await engine.submit(ONE)
    await work_on(engine.runtime, run.id, be_braked)
    return await engine.get(run)


def opening(engine: ImportEngine) -> Opening:
    return engine.runtime.database.transaction()


async def test_a_halted_run_says_why_and_nobody_works_on_it(engine: ImportEngine) -> None:
    run = await halt(engine)
    assert (run.state, run.fail_code, run.fail_detail) == (State.HALTED, "brake", WHY)
    assert (run.done, run.held_at is None, run.finished_at, retry_after(run)) == (False, False, None, None)
    async with engine.runtime.database.transaction() as session:
        assert run.id not in [row["id"] for row in await claims.due(session)]
        assert await claims.claim(session, run.id, lease=60) is None
        await claims.rescue(session, backoff=0)
    assert (await engine.get(run)).state is State.HALTED


async def test_a_halted_run_takes_a_place_in_the_queue_and_is_not_deleted(engine: ImportEngine) -> None:
    few = engine.with_settings(queue_limit=1)
    run = await halt(few)
    async with few.runtime.database.read() as session:
        with pytest.raises(Refused, match=r"^1 imports of this account are waiting, running or halted"):
            await ensure_room(session, few.runtime, few.account_id, Kind.IMPORT)
    with pytest.raises(Refused, match="this one is halted") as refused:
        await delete_run(few.runtime, few.account_id, run.id)
    assert refused.value.code == "import_not_ended"


async def test_a_resumed_run_is_queued_with_its_brakes_off_and_ends(engine: ImportEngine) -> None:
    run = await halt(engine)
    resumed = await resume_run(engine.runtime, opening(engine), run)
    assert (resumed.state, resumed.fail_code, resumed.held_at) == (State.QUEUED, None, None)
    assert resumed.options["released"] is True
    again = await resume_run(engine.runtime, opening(engine), await engine.get(run))  # the answer was lost
    assert again.state is State.QUEUED
    ended = await engine.finish(run)
    assert (ended.state, ended.created) == (State.FINISHED, 1)
    assert (await resume_run(engine.runtime, opening(engine), ended)).state is State.FINISHED
    with pytest.raises(Refused, match="This import has ended already, so nothing was cancelled"):
        await cancel_run(engine.runtime, opening(engine), ended)


async def test_a_cancelled_run_has_ended_and_stays_so(engine: ImportEngine) -> None:
    run = await halt(engine)
    cancelled = await cancel_run(engine.runtime, opening(engine), run)
    assert (cancelled.state, cancelled.fail_code, cancelled.done) == (State.CANCELLED, "cancelled", True)
    assert (cancelled.remaining, cancelled.held_at) == (1, None)
    for sent_twice in (cancelled, run):  # one after the other, and at the same time
        assert (await cancel_run(engine.runtime, opening(engine), sent_twice)).state is State.CANCELLED
    with pytest.raises(
        Refused, match=r"^Only a run that is halted or planned can be resumed, and this import is cancelled"
    ):
        await resume_run(engine.runtime, opening(engine), run)  # which saw it halted
    await delete_run(engine.runtime, engine.account_id, run.id)


async def test_what_was_staged_and_never_written_is_not_counted_as_written(engine: ImportEngine) -> None:
    run = await engine.submit(ONE + "bad,Bob\n", replace=True)
    while run.step != "apply":
        run = await engine.slice(run)
    report = '{"files": [], "entities": {"contacts": {"added": 1}}}'
    await engine.sql(
        "UPDATE runs SET report = CAST(:report AS jsonb), removed = 3 WHERE id = :id", report=report, id=run.id
    )
    halted = await halt(engine, run)
    assert (halted.created, halted.failed, halted.removed) == (1, 1, 3)  # what it would do
    cancelled = await cancel_run(engine.runtime, opening(engine), halted)
    assert (cancelled.created, cancelled.failed, cancelled.removed, cancelled.remaining) == (0, 1, 0, 1)
    assert cancelled.report == {"files": []}


async def test_a_decision_that_comes_second_is_told_what_the_run_is_by_now(engine: ImportEngine) -> None:
    run = await halt(engine)
    for _ in range(2):  # sent twice at the same time
        assert (await resume_run(engine.runtime, opening(engine), run)).state is State.QUEUED
    assert (await cancel_run(engine.runtime, opening(engine), run)).state is State.CANCELLED  # which saw it halted
    assert (await resume_run(engine.runtime, opening(engine), run)).state is State.CANCELLED


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_what_is_not_held_is_not_resumed(engine: ImportEngine, state: str) -> None:
    run = await engine.submit(ONE)
    await engine.sql("UPDATE runs SET state = :state WHERE id = :id", state=state, id=run.id)
    with pytest.raises(Refused) as refused:
        await resume_run(engine.runtime, opening(engine), await engine.get(run))
    assert refused.value.code == "not_held"


async def test_a_run_is_held_for_the_attempt_that_has_it_and_no_other(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    async with engine.runtime.database.transaction() as session:
        await claims.claim(session, run.id, lease=60)
        assert await hold_run(session, run.id, run.attempt, State.HALTED, code="brake", detail=WHY) is None
        planned = await hold_run(session, run.id, run.attempt + 1, State.PLANNED)
    assert planned is not None
    assert (planned.state, planned.fail_code) == (State.PLANNED, None)
    await engine.sql("UPDATE runs SET fail_code = 'brake' WHERE id = :id", id=run.id)  # one that it would meet


async def test_what_nobody_decides_about_is_cancelled_and_says_so(engine: ImportEngine) -> None:
    old, new = await halt(engine), await halt(engine)
    await engine.sql("UPDATE runs SET held_at = now() - interval '25 hours' WHERE id = :id", id=old.id)
    await cancel_expired(engine.runtime)
    expired = await engine.get(old)
    assert (expired.state, expired.fail_code) == (State.CANCELLED, "plan_expired")
    assert expired.fail_detail == "It was halted for 24 hours, and nobody resumed or cancelled it"
    assert (await engine.get(new)).state is State.HALTED


async def test_a_mail_goes_out_when_a_run_is_halted_and_another_when_it_has_ended(engine: ImportEngine) -> None:
    run = await engine.submit(ONE)
    await engine.sql("UPDATE runs SET notify = 'ops@example.com' WHERE id = :id", id=run.id)
    first = build_mail(
        await halt(engine, run), to="ops@example.com", account="shop", sender="s@example.com", public_url="http://s"
    )
    async with engine.runtime.database.transaction() as session:
        taken = await notices.take(session, lease=60, longest=60)
        assert taken is not None
        assert taken["id"] == run.id
        await notices.mark_sent(session, run.account_id, run.id)
    await resume_run(engine.runtime, opening(engine), await engine.get(run))
    ended = await engine.finish(run)
    async with engine.runtime.database.transaction() as session:
        assert (await notices.take(session, lease=60, longest=60) or {}).get("id") == run.id
    second = build_mail(ended, to="ops@example.com", account="shop", sender="s@example.com", public_url="http://s")
    assert first["Subject"].endswith("of contacts: halted, 0 of 1 rows imported")
    assert f"Resume it: POST http://s/runs/{run.id}/resume" in first.get_content()
    assert WHY in first.get_content()
    assert second["Message-ID"] != first["Message-ID"]


async def test_the_database_refuses_a_halted_run_without_a_reason_or_a_time(engine: ImportEngine) -> None:
    run = await halt(engine)
    for change, rule in (("fail_code = NULL", "failure_has_a_code"), ("held_at = NULL", "held_has_a_time")):
        with pytest.raises(IntegrityError, match=rule):
            await engine.sql(f"UPDATE runs SET {change} WHERE id = :id", id=run.id)
