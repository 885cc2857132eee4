"""A run is cancelled at any moment of its life: it ends once, what it has written stays, and its counts are true."""

import asyncio
import json
import time
from dataclasses import replace
from threading import Thread

import pytest

from app.errors import Refused
from app.exports import engine as exports
from app.exports.destinations import describe_destinations
from app.exports.intake import ExportRequest, submit_export
from app.exports.retry import list_failed
from app.imports.engine import work
from app.observe import Observer
from app.observe.events import Event, StepReached
from app.runs import lifecycle
from app.runs.holding.brakes import Brakes
from app.runs.holding.cancellation import cancel_open, cancel_run
from app.runs.kinds import Kind, Step
from app.runs.lifecycle import Stopping, Work, end_run, rescue_runs, work_on
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage import claims
from app.storage.database import Database
from tests.engine.conftest import ImportEngine, law

ROWS = 60


def contacts(rows: int, *, bad: int = 0) -> str:
    lines = [f"{'bad' if number < bad else f'c{number:03}@example.com'},N{number}" for number in range(rows)]
    return "\n".join(["_email,_name", *lines]) + "\n"


async def cancel(engine: ImportEngine, run: Run) -> Run:
    return await cancel_run(engine.runtime, engine.runtime.database.transaction(), run)


class Listener(Observer):
    """Cancels a run when its worker comes to a step for the nth time, while the worker stands still."""

    def __init__(self, engine: ImportEngine, run: Run, step: str, nth: int) -> None:
        super().__init__()
        self.engine, self.run, self.step, self.left = engine, run, step, nth
        self.answer: Run | None = None

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, StepReached) and event.step == self.step:
            self.left -= 1
            if self.left == 0:
                thread = Thread(target=lambda: asyncio.run(self.cancel()))
                thread.start()
                thread.join()

    async def cancel(self) -> None:
        """As another process does."""
        url = self.engine.runtime.settings.database_url
        assert url is not None
        database = Database(url.get_secret_value(), pool_size=1)
        async with database.transaction() as session:
            self.answer = await cancel_open(session, self.run)
        await database.close()


async def cancelled_at(engine: ImportEngine, run: Run, step: str, nth: int = 1, work: Work = work) -> Run:
    """The run, which somebody cancels when a worker is at that step, and which is worked on as long as it can be."""
    listener = Listener(engine, run, step, nth)
    runtime = replace(engine.runtime, observe=listener)
    while listener.left > 0:
        await work_on(runtime, run.id, work)
    await work_on(runtime, run.id, work)
    after = await engine.get(run)
    assert replace(after, version="") == listener.answer
    assert (after.state, after.secret, after.fail_code) == (State.CANCELLED, None, "cancelled")
    if after.kind is Kind.IMPORT:
        law(after)
    return after


async def test_a_run_that_waits_is_cancelled_and_never_begun(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(3))
    cancelled = await cancel(engine, run)
    assert (cancelled.state, cancelled.remaining, cancelled.started_at) == (State.CANCELLED, 3, None)
    assert cancelled.fail_detail == "The import was cancelled. Nothing was written; 3 rows were not looked at"
    for sent_again in (run, cancelled):
        assert (await cancel(engine, sent_again)).finished_at == cancelled.finished_at
    assert (await engine.slice(run)).state is State.CANCELLED
    await rescue_runs(engine.runtime)
    assert await engine.keys() == []


async def test_a_direct_import_stops_after_a_batch_and_says_what_it_has_written(engine: ImportEngine) -> None:
    engine = engine.with_settings(batch_rows=5)
    run = await engine.submit(contacts(ROWS, bad=2))
    cancelled = await cancelled_at(engine, run, "committed", 4)
    assert cancelled.failed == 2
    assert cancelled.created in (4 * 5 - 2, 5 * 5 - 2)
    written, left = cancelled.created, cancelled.remaining
    assert cancelled.fail_detail == (
        f"The import was cancelled. {written} rows were written and stay; {left} rows were not looked at"
    )
    assert await engine.keys() == [f"c{number:03}@example.com" for number in range(2, 2 + written)]
    (sums,) = await engine.sql("SELECT sum(created) AS created FROM batches WHERE run_id = :id", id=run.id)
    assert sums["created"] == written


@pytest.mark.parametrize("step", ["merged", "closed", "applied"])
async def test_a_staged_import_has_written_nothing(engine: ImportEngine, step: str) -> None:
    await engine.run("_email,_name\nold@example.com,Old\n")
    run = await engine.submit(contacts(ROWS, bad=1), replace=True, brakes=Brakes(max_removed_share=1.0))
    cancelled = await cancelled_at(engine, run, step)
    assert (cancelled.created, cancelled.failed, cancelled.removed or 0) == (0, int(step != "merged"), 0)
    assert cancelled.fail_detail.startswith("The import was cancelled. Nothing was written")  # type: ignore[union-attr]
    assert await engine.keys() == ["old@example.com"]


@pytest.mark.parametrize("step", ["counting", "copying", "kept"])
async def test_an_export_that_is_cancelled_has_no_file_and_leaves_none(engine: ImportEngine, step: str) -> None:
    await engine.run(contacts(3))
    run = await submit_export(engine.runtime, ExportRequest(engine.account_id, "native", "contacts"))
    before = set(engine.runtime.blobs.list_older_than(-10))
    cancelled = await cancelled_at(engine, run, step, work=exports.work)
    assert (cancelled.blob, cancelled.at_row, cancelled.step) == (None, 0, Step.WRITE)
    assert cancelled.fail_detail == "The export was cancelled. No file was written"
    assert set(engine.runtime.blobs.list_older_than(-10)) == before


async def test_an_export_that_is_cancelled_while_it_is_delivered_keeps_its_file_for_a_retry(
    engine: ImportEngine,
) -> None:
    await engine.run(contacts(3))
    run = await submit_export(engine.runtime, ExportRequest(engine.account_id, "native", "contacts"))
    await work_on(engine.runtime, run.id, exports.work)
    destinations = [
        {"connectionId": "conn_1", "path": path, "transport": "ftp", "status": status}
        for path, status in (("a.csv", "delivered"), ("b.csv", "pending"))
    ]
    await engine.sql(
        "UPDATE runs SET state = 'running', step = 'deliver', finished_at = NULL, "
        "destinations = CAST(:destinations AS jsonb) WHERE id = :id",
        id=run.id,
        destinations=json.dumps(destinations),
    )
    cancelled = await cancel(engine, run)
    assert (cancelled.state, cancelled.at_row, cancelled.blob is None) == (State.CANCELLED, 3, False)
    assert cancelled.fail_detail == "The export was cancelled. Its file is written and stays"
    assert [(each.status, each.error) for each in describe_destinations(cancelled)] == [
        ("delivered", None),
        ("failed", "The export was cancelled before this delivery was complete"),
    ]
    assert [each.path for each in list_failed(cancelled)] == ["b.csv"]


async def test_what_takes_long_is_broken_off_and_counts_no_crash(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "WATCH_SECONDS", 0.02)
    begun, cleaned = asyncio.Event(), []

    async def transfer(_runtime: Runtime, _run: Run, _stopping: Stopping) -> bool:
        begun.set()
        try:
            await asyncio.Event().wait()  # a server that sends nothing
        finally:
            cleaned.append(True)
        raise AssertionError

    run = await engine.submit(contacts(1))
    working = asyncio.create_task(work_on(engine.runtime, run.id, transfer))
    await begun.wait()
    started = time.monotonic()
    await cancel(engine, run)
    await working
    assert time.monotonic() - started < 1
    after = await engine.get(run)
    assert (cleaned, after.state, after.crashes) == ([True], State.CANCELLED, 0)


async def test_what_a_worker_does_after_it_has_ended_a_run_is_not_broken_off(
    engine: ImportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "WATCH_SECONDS", 0.01)
    tidied = []

    async def end_and_tidy(runtime: Runtime, run: Run, _stopping: Stopping) -> bool:
        async with runtime.database.transaction() as session:
            await end_run(session, run.id, run.attempt, State.FAILED, code="source_read", detail="It broke off")
        await asyncio.sleep(0.1)  # ten looks
        tidied.append(True)
        return True

    run = await engine.submit(contacts(1))
    await work_on(engine.runtime, run.id, end_and_tidy)
    assert tidied == [True]
    with pytest.raises(Refused, match=r"^This import has ended already, so nothing was cancelled") as refused:
        await cancel(engine, run)  # which saw it queued
    assert refused.value.code == "already_ended"


async def test_of_a_cancellation_and_the_end_one_counts(engine: ImportEngine) -> None:
    """Whichever comes first, the run ends once and says which."""
    ends = set()
    for _ in range(12):
        run = await engine.submit(contacts(1))
        answers = await asyncio.gather(
            engine.finish(run), cancel(engine, run), cancel(engine, run), return_exceptions=True
        )
        after = await engine.get(run)
        law(after)
        for answer in answers[1:]:
            if after.state is State.FINISHED:
                assert isinstance(answer, Refused)
            else:
                assert isinstance(answer, Run)
                assert answer.finished_at == after.finished_at
        ends.add(after.state)
    assert ends <= {State.FINISHED, State.CANCELLED}


async def test_a_cancelled_run_is_not_rescued_and_its_worker_moves_nothing(engine: ImportEngine) -> None:
    run = await engine.submit(contacts(2))
    async with engine.runtime.database.transaction() as session:
        claimed = await claims.claim(session, run.id, lease=0)
        assert claimed is not None
    cancelled = await cancel(engine, run)
    await rescue_runs(engine.runtime)
    async with engine.runtime.database.transaction() as session:
        for move in (
            claims.renew(session, run.id, claimed["attempt"], lease=9),
            claims.release(session, run.id, claimed["attempt"]),
            claims.fault(session, run.id, claimed["attempt"], backoff=0),
            claims.postpone(session, run.id, claimed["attempt"], backoff=0, waiting_for="source"),
            end_run(session, run.id, claimed["attempt"], State.FINISHED),
        ):
            assert not await move
    assert replace(await engine.get(run), version="") == cancelled
