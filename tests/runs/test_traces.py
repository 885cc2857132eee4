"""Spans of requests, runs, turns and batches, as a collector receives them."""

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from app.errors import Misconfigured
from app.observe import Observer
from app.observe.events import BatchWritten
from app.observe.traces import collected, find_endpoint, open_traces
from app.runs.lifecycle import rescue_runs, work_on
from app.runs.model import Run, RunId
from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.engine.conftest import ImportEngine
from tests.support import http
from tests.support.collector import Collector, Received, running_collector

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_, TRACE, CALLERS_SPAN, _ = CALLER.split("-")
CELL = "john@example.org"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


def traced(runtime: Runtime, url: str, **settings: object) -> Runtime:
    changed = runtime.settings.model_copy(update={"traces_url": SecretStr(url), **settings})
    return replace(runtime, settings=changed, observe=Observer(open_traces(url, None)))


def only(spans: list[Received]) -> Received:
    assert len(spans) == 1, spans
    return spans[0]


async def test_what_a_post_causes_is_one_trace_that_goes_on_from_the_callers(
    runtime: Runtime, collector: Collector, a_key: NewAccount, logged: pytest.CaptureFixture[str]
) -> None:
    traces = traced(runtime, collector.url, batch_rows=1, log_format="json")
    account = await a_key()
    async with http.client_of(http.app_on(traces)) as client:
        client.headers["traceparent"] = CALLER
        run_id = (await http.post(client, account)).json()["id"]
        await http.finish(traces, run_id)
        assert (await client.get(f"/records/contacts/{CELL}", headers=account.headers)).status_code == 200
        assert (await client.get(f"/imports?status={CELL}", headers=account.headers)).status_code == 422
        await client.get("/healthz")
    await traces.observe.traces.close()

    posted, run = only(collector.named("POST /imports")), only(collector.named("import"))
    turn, batches = only(collector.named("import write")), collector.named("batch")
    assert {each.trace_id for each in collector.spans} == {TRACE}
    assert (posted.parent, run.parent, turn.parent) == (CALLERS_SPAN, posted.id, run.id)
    assert [each.parent for each in batches] == [turn.id, turn.id]
    assert run.seconds >= turn.seconds > 0
    assert [each.attributes["sluice.created"] for each in batches] == [1, 1]
    assert run.attributes["sluice.run_id"] == turn.attributes["sluice.run_id"] == run_id
    assert (run.attributes["sluice.state"], run.attributes["sluice.success"], run.failed) == ("finished", 2, False)
    assert posted.attributes["http.response.status_code"] == 201
    assert posted.attributes["sluice.account"] == account.name
    assert only(collector.named("GET /records/{type}/{key}")).attributes["http.route"] == "/records/{type}/{key}"
    assert only(collector.named("GET /imports")).failed is False
    sent = b"".join(collector.bodies)
    assert CELL.encode() not in sent
    assert account.key.encode() not in sent
    assert not [each for each in collector.spans if "healthz" in each.name]
    lines = [line for line in logged.readouterr().err.splitlines() if TRACE in line]
    assert any("run_ended" in line for line in lines)
    assert any("request_served" in line and posted.attributes["sluice.request_id"] in line for line in lines)


async def test_a_worker_that_takes_over_is_linked_to_the_turn_of_the_one_that_was_lost(
    runtime: Runtime, collector: Collector, a_key: NewAccount
) -> None:
    traces = traced(runtime, collector.url)
    account = await a_key()
    engine = ImportEngine(traces, account.id)  # type: ignore[arg-type]
    run = await engine.submit("_email\na@example.org\n")

    async def die(_: Runtime, claimed: Run, __: object) -> bool:
        traces.observe(BatchWritten(claimed.id, claimed.attempt, 7, 0, 0, 0, 0, 0, seconds=0.5))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await work_on(traces, RunId(run.id), die)
    await engine.sql("UPDATE runs SET lease_until = now() - interval '1 second' WHERE id = :id", id=run.id)
    await rescue_runs(traces)
    await engine.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
    assert (await engine.finish(run)).state == "finished"
    await traces.observe.traces.close()

    lost, after = sorted(collector.named("import write"), key=lambda each: each.attributes["sluice.attempt"])
    assert after.links == [lost.id]
    whole = only(collector.named("import"))
    assert (whole.parent, lost.parent, after.parent) == ("", whole.id, whole.id)
    assert {each.trace_id for each in collector.spans} == {whole.trace_id}
    left = only([each for each in collector.named("batch") if each.attributes["sluice.number"] == 7])
    assert (left.parent, left.seconds) == (lost.id, pytest.approx(0.5))


async def test_a_turn_that_fails_is_marked_without_the_text_of_its_error(
    runtime: Runtime, collector: Collector, a_key: NewAccount
) -> None:
    traces = traced(runtime, collector.url)
    engine = ImportEngine(traces, (await a_key()).id)  # type: ignore[arg-type]
    run = await engine.submit("_email\na@example.org\n")

    async def crash(*_: object) -> bool:
        raise ValueError(CELL)

    await work_on(traces, RunId(run.id), crash)
    await traces.observe.traces.close()
    turn = only(collector.named("import write"))
    assert (turn.failed, turn.attributes["error.type"]) == (True, "ValueError")
    assert CELL.encode() not in b"".join(collector.bodies)


async def test_a_collector_that_does_not_answer_slows_nothing(
    runtime: Runtime, a_key: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collected, "CLOSE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        traces = traced(runtime, f"http://127.0.0.1:{silent.getsockname()[1]}")
        engine = ImportEngine(traces, (await a_key()).id)  # type: ignore[arg-type]
        began = time.monotonic()
        for number in range(2_500):  # more than are kept for it
            traces.observe.traces.note(BatchWritten("run", 1, number, 1, 0, 0, 0, 0, seconds=0.1))
        assert (await engine.run("_email\na@example.org\n")).state == "finished"
        await traces.observe.traces.close()
        assert time.monotonic() - began < 5  # a request to it is given up after 10


@pytest.mark.parametrize("url", ["collector:4318", "ftp://c", "http://", "http://me:secret@c", "http://c?token=secret"])
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Misconfigured, match="SLUICE_TRACES_URL must look like") as refused:
        find_endpoint(url)
    assert "secret" not in str(refused.value)


def test_an_address_without_a_path_gets_that_of_the_protocol() -> None:
    assert find_endpoint("http://c:4318/") == "http://c:4318/v1/traces"
    assert find_endpoint("https://c/otlp/v1/traces") == "https://c/otlp/v1/traces"


def test_without_the_packages_a_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "app.observe.traces.collected", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(Misconfigured, match=r"Install `sluice\[traces\]`"):
        open_traces("http://c:4318", None)
