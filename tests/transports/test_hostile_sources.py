"""Sources that lie or dawdle: what they can cost is bounded, and no byte of another file comes in."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import asyncssh
import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from app.imports.engine import work
from app.queue.task_queue import QUEUE
from app.queue.tasks import TASKS
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.transports.transport import Remote, TransferPolicy
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.ftp import Script
from tests.transports.servers.http import HttpServer
from tests.transports.servers.raw import Asked, gives, page, raw_web, reply, s3_at, web_at
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_conformance import MEGABYTE, Kept, noise
from tests.transports.test_connections import FILE, api, body, made, pulls
from tests.transports.test_imports import Pulling, pulling

__all__ = ["api", "pulling", "pulls"]

MakePolicy = Callable[..., TransferPolicy]
Step = dict[str, Any]
FACTS = {"FEAT": "211-I know\r\n MLST type*;size*;modify*;\r\n211 that"}
TOO_SLOW = "The transfer took too long"
PATIENCE = 20  # seconds for what takes one, or an hour if nothing bounds it


async def tried(api: httpx.AsyncClient, remote: Remote, path: str) -> Step:
    """The last step of a trial."""
    connection = await made(api, body(remote))
    answer = await api.post(f"/connections/{connection['id']}/test-import", json={"path": path})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["steps"][-1])


async def listed_by_ftp(listing: bytes, pattern: str, policy: TransferPolicy) -> list[str]:
    """The paths that fit, by what a server says is there."""
    async with (
        Script({"MLSD": listing}, dict(FACTS)).running() as script,
        connect(Remote("ftp", "127.0.0.1", script.port), policy) as transport,
    ):
        return [entry.path for entry in await transport.list(pattern)]


@pytest.fixture
async def hasty(pulls: Runtime, an_account: Account) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that gives a source one second."""
    brief = replace(pulls, transfer_policy=replace(pulls.transfer_policy, total_seconds=1))
    async with client_of(app_on(brief)) as client:
        client.headers.update(an_account.headers)
        yield client


async def test_a_server_that_sends_single_bytes_does_not_multiply_requests(
    patient: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count() -> None:
        tasks.append(len(asyncio.all_tasks()))
        server.faults.pause = 0

    tasks = [len(asyncio.all_tasks())]
    monkeypatch.setattr(asyncssh.sftp, "MAX_SFTP_READ_LEN", 1)  # what the server says that it gives with one answer
    async with sftp_server() as server:
        await server.store("a.csv", noise(1_000))
        server.faults.pause = 0.05
        sink = Kept(then=count)
        await fetch(server.remote, "a.csv", patient(), sink)
    before, reading = tasks
    assert bytes(sink.data) == noise(1_000)
    assert reading - before < 100


async def test_a_listing_of_many_megabytes_is_given_up(patient: MakePolicy) -> None:
    line = b"Type=file;Size=1; " + b"x" * 250_000 + b"\r\n"
    with pytest.raises(TransportFailed) as failed:
        await listed_by_ftp(line * 70, "*", patient())
    assert failed.value.reason == "too_many"


async def test_a_key_that_cannot_be_requested_is_left_out(patient: MakePolicy) -> None:
    async with (
        raw_web(lambda _: page("k" * 8_000_000, "a.csv", "b\tc.csv")) as port,
        connect(s3_at(port), patient()) as transport,
    ):
        assert [entry.path for entry in await transport.list("*")] == ["a.csv"]


async def test_a_test_of_a_connection_ends_although_bytes_keep_coming(hasty: httpx.AsyncClient) -> None:
    async with raw_web(gives(b"x" * 1_000), pause=0.2) as port:
        async with asyncio.timeout(PATIENCE):
            step = await tried(hasty, web_at(port), "/a.csv")
    assert step == {"step": "read", "ok": False, "why": TOO_SLOW}


async def test_a_listing_ends_although_lines_keep_coming(hasty: httpx.AsyncClient) -> None:
    async with raw_web(lambda _: page("a.csv"), pause=0.2) as port:
        connection = await made(hasty, body(s3_at(port)))
        asked = {"type": "contacts", "path": "*.csv"}
        async with asyncio.timeout(PATIENCE):
            answer = await hasty.post(f"/connections/{connection['id']}/imports", json=asked)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"path": "path", "reason": TOO_SLOW}])
    gc.collect()  # an answer that was left open would complain now, and fail this test


async def test_a_fetch_that_a_restart_broke_off_is_enqueued_as_a_fetch(pulling: Pulling) -> None:
    reading = asyncio.Event()

    def stalls(asked: Asked) -> bytes:
        if asked.method == "GET":
            reading.set()
        return reply(length=100)

    async with raw_web(stalls) as port:
        run = await pulling.start(web_at(port), "/a.csv")
        working = asyncio.create_task(work_on(pulling.runtime, RunId(run.id), work))
        async with asyncio.timeout(PATIENCE):
            await reading.wait()
        working.cancel()  # what a worker does that is told to stop
        with pytest.raises(asyncio.CancelledError):
            await working
    attempt = (await pulling.get(run)).attempt
    queue = Redis(connection_pool=pulling.runtime.queue.connections)
    rung = {job.decode() for job in await queue.zrange(QUEUE, 0, -1) if run.id in job.decode()}
    assert f"{TASKS['import', 'fetch'].name}:{run.id}:{attempt}" in rung
    assert not any(job.startswith(TASKS["import", "write"].name) for job in rung)


async def test_the_bytes_of_two_files_behind_one_name_are_not_mixed(web: HttpServer, patient: MakePolicy) -> None:
    async def another_answers() -> None:
        await web.store("a.bin", noise(6 * MEGABYTE, 2))
        web.web.quirks = set()

    await web.store("a.bin", noise(6 * MEGABYTE))
    web.web.quirks = {"no_validators"}
    web.cut_after(3 * MEGABYTE)
    sink = Kept(then=another_answers)
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == noise(6 * MEGABYTE, 2)
    assert sink.restarts == 1


async def test_a_host_in_capitals_is_the_same_host(api: httpx.AsyncClient) -> None:
    def leads_on(asked: Asked) -> bytes:
        if "authorization" not in asked.headers:
            return reply(status=401)
        if asked.path == "/a.csv":
            return reply(f"Location: http://{asked.headers['host']}/b.csv", status=302)
        return gives(FILE)(asked)

    async with raw_web(leads_on) as port:
        remote = replace(web_at(port, "Localhost"), user="u", password=SecretStr("p"))
        assert await tried(api, remote, "/a.csv") == {"step": "read", "ok": True, "found": f"{len(FILE)} bytes"}
