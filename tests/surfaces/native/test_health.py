"""Health, readiness, figures and documents: open to everyone, and true."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import httpx
from redis.asyncio import Redis

from app.queue.task_queue import HEARTBEATS
from app.runtime import Runtime
from app.storage.blobs import FileBlobs
from app.storage.database import PLAN_VERSION, Database
from app.surfaces.native.wire.health import Readiness
from app.web.server.readiness import OLD_WORKERS
from tests.conftest import Finish
from tests.support.http import Account, app_on, client_of, post


async def test_the_process_lives(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_service_is_ready_once_a_worker_was_seen(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await runtime.queue.remove_worker("test")
    before = await client.get("/readyz")
    await runtime.queue.send_heartbeat("test", PLAN_VERSION)
    after = await client.get("/readyz")
    await runtime.queue.remove_worker("test")

    assert before.status_code == 503
    assert before.json()["parts"]["worker"] == {
        "ok": False,
        "why": "No worker is running",
    }
    assert (after.status_code, after.json()["ready"]) == (200, True)
    assert after.json()["parts"].keys() == {"database", "schema", "redis", "blobs", "worker"}
    assert Readiness.model_validate(before.json())


async def test_workers_of_an_older_release_are_not_enough(client: httpx.AsyncClient, runtime: Runtime) -> None:
    async with Redis(connection_pool=runtime.queue.connections) as redis:
        await redis.set(f"{HEARTBEATS}old", 1_790_000_000, ex=30)  # as release 0.1 does
    old = (await client.get("/readyz")).json()["parts"]["worker"]
    await runtime.queue.send_heartbeat("test", PLAN_VERSION)
    both = (await client.get("/readyz")).json()["parts"]["worker"]
    for worker in ("old", "test"):
        await runtime.queue.remove_worker(worker)
    assert old == {"ok": False, "why": OLD_WORKERS}
    assert both == {"ok": True}


async def test_without_a_database_it_lives_but_is_not_ready(runtime: Runtime, an_account: Account) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    async with client_of(app_on(replace(runtime, database=nowhere))) as client:
        ready = await client.get("/readyz")
        poll = await client.get("/imports/x", headers=an_account.headers)
        metrics = await client.get("/metrics")
        assert (await client.get("/healthz")).status_code == 200
    await nowhere.close()

    assert ready.status_code == 503
    assert ready.json()["parts"]["database"]["ok"] is False
    assert ready.json()["parts"]["redis"]["ok"] is True
    assert (poll.status_code, poll.json()["code"]) == (503, "not_ready")
    assert int(poll.headers["retry-after"]) > 0
    assert "nobody" not in poll.text + ready.text
    assert "process_resident_memory_bytes" in metrics.text


async def test_a_blob_store_that_cannot_be_written_is_named(runtime: Runtime, tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    blobs.incoming.rmdir()
    async with client_of(app_on(replace(runtime, blobs=blobs))) as client:
        ready = await client.get("/readyz")
    assert ready.json()["parts"]["blobs"]["ok"] is False
    assert ready.status_code == 503


async def test_metrics_count_runs_and_the_age_of_the_queue(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account)).json()["id"]
    await finish(runtime, run)
    await post(client, an_account)

    text = (await client.get("/metrics")).text

    def figure(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (.*)$", text, re.MULTILINE)
        assert found, name
        return float(found[1])

    assert figure('sluice_runs_ended_total{state="finished"}') >= 1
    assert figure('sluice_runs{state="queued"}') >= 1
    assert figure("sluice_queue_oldest_seconds") >= 0
    assert 'route="/imports"' in text
    assert run not in text


async def test_the_documents_need_no_key_and_no_internet(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("</", "<")
    for file in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await client.get(f"/{file}")).status_code == 200
    description = (await client.get("/openapi.json")).json()
    assert {"/imports", "/records/{type}", "/readyz"} <= description["paths"].keys()
    assert (await client.get("/docs/core.py")).status_code == 404


async def test_others_are_answered_while_the_document_is_made(client: httpx.AsyncClient) -> None:
    document = asyncio.create_task(client.get("/openapi.json"))
    other = asyncio.create_task(client.get("/healthz"))
    await other
    assert not document.done()
    assert (await document).json() == (await client.get("/openapi.json")).json()
