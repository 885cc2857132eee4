"""Imports whose files are in a bucket: machines share the work, and an unreachable store costs nothing but time."""

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.embedded import Servers, free_port
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.blobs.errors import MARKER
from tests.engine.conftest import ImportEngine
from tests.storage.conftest import OpenShared, files
from tests.support.http import Account, app_on, client_of, post
from tests.support.live import HOST, Live, new_key, started, wait_until_ready
from tests.support.object_store import ObjectStore
from tests.support.servers import new_database, redis_number, settings_for

ROWS = 10_000
Machine = Callable[[str], Runtime]


@pytest.fixture
def machine(runtime: Runtime, shared: OpenShared) -> Machine:
    """What a process on another machine holds open: machine("two")."""
    return lambda name: replace(runtime, blobs=shared(name))


def contacts(count: int) -> bytes:
    return b"_email,_points\n" + b"".join(b"ana%d@example.org,%d\n" % (row, row) for row in range(count))


async def test_another_machine_can_continue_an_import(machine: Machine, an_account: Account) -> None:
    small: dict[str, object] = {"batch_rows": 10, "slice_seconds": 0.0001}
    one, two = (ImportEngine(machine(name), AccountId(an_account.id)).with_settings(**small) for name in ("1", "2"))
    run = await one.slice(await one.submit(contacts(100)))
    assert 0 < run.created < 100
    run = await two.finish(run)
    assert (run.state, run.created, run.crashes) == ("finished", 100, 0)


async def test_a_run_waits_while_the_store_is_unreachable(
    machine: Machine, an_account: Account, objects: ObjectStore, shared: OpenShared
) -> None:
    engine = ImportEngine(machine("1"), AccountId(an_account.id)).with_settings(batch_rows=10, slice_seconds=0.0001)
    begun = await engine.slice(await engine.submit(contacts(100)))
    copies = shared("1").copies
    shutil.rmtree(copies.stored)  # as if another machine continued, or the copy had been removed
    copies.stored.mkdir()
    with objects.gate.closed():
        put_off = await engine.slice(begun)
    assert (put_off.state, put_off.created, put_off.crashes) == ("running", begun.created, 0)
    ended = await engine.finish(put_off)
    assert (ended.state, ended.created, ended.crashes) == ("finished", 100, 0)


async def test_while_the_store_is_unreachable_uploads_are_answered_503_and_leave_nothing(
    machine: Machine, an_account: Account, objects: ObjectStore, shared: OpenShared, prefix: str
) -> None:
    async with client_of(app_on(machine("1"))) as client:
        with objects.gate.closed():
            refused = await post(client, an_account)
            ready = await client.get("/readyz")
        accepted = await post(client, an_account)
    assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    assert ready.json()["parts"]["blobs"]["ok"] is False
    assert accepted.status_code == 201
    assert len(objects.keys(prefix)) == 1
    assert files(shared("1").copies.incoming) == set()


async def test_refused_uploads_leave_nothing_in_the_bucket_and_nothing_here(
    machine: Machine, an_account: Account, objects: ObjectStore, shared: OpenShared, prefix: str
) -> None:
    async with client_of(app_on(machine("1"), queue_limit=1)) as client:
        assert (await post(client, an_account, b"")).status_code == 422
        assert (await post(client, an_account, b"_name\nAna\n")).status_code == 422
        assert (await post(client, an_account, b"\x1f\x8b damaged")).status_code == 422
        assert (await post(client, an_account)).status_code == 201
        answers = await asyncio.gather(*(post(client, an_account) for _ in range(3)))
        assert {answer.status_code for answer in answers} == {400}
    assert len(objects.keys(prefix)) == 1
    assert len(files(shared("1").copies.root)) == 1


async def test_an_import_is_deleted_while_the_store_is_unreachable_and_its_file_later(
    machine: Machine, an_account: Account, objects: ObjectStore, prefix: str
) -> None:
    here = machine("1")
    engine = ImportEngine(here, AccountId(an_account.id))
    run = await engine.run(contacts(3))
    async with client_of(app_on(here)) as client:
        with objects.gate.closed():
            deleted = await client.delete(f"/imports/{run.id}", headers=an_account.headers)
            assert deleted.status_code == 204
    assert list(here.blobs.list_older_than(-60)) == [run.blob]


async def test_failed_rows_are_read_from_the_bucket_too(
    machine: Machine, an_account: Account, objects: ObjectStore
) -> None:
    run = await ImportEngine(machine("1"), AccountId(an_account.id)).run(b"_email\nana\nbob@example.org\n")
    async with client_of(app_on(machine("2"))) as client:
        report = f"/imports/{run.id}/failed-rows.csv"
        with objects.gate.closed():
            assert (await client.get(report, headers=an_account.headers)).status_code == 503
        assert "ana" in (await client.get(report, headers=an_account.headers)).text


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        process.kill()
        process.wait(10)


@pytest.mark.slow
def test_two_machines_that_share_a_bucket_alone_finish_one_import(
    servers: Servers,
    objects: ObjectStore,
    prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    processes: list[subprocess.Popen[bytes]],
) -> None:
    """An API and a worker begin it; the worker is stopped, and one with another data folder ends it."""
    monkeypatch.setenv("SLUICE_BLOBS", objects.url(prefix))
    monkeypatch.setenv("SLUICE_BLOBS_KEY", objects.key)
    monkeypatch.setenv("SLUICE_BLOBS_SECRET", objects.secret)
    monkeypatch.setenv("SLUICE_BATCH_ROWS", "50")
    database_url, redis_url, port = new_database(servers, "machines"), redis_number(servers, 9), free_port()
    homes = [settings_for(tmp_path / name, database_url, redis_url) for name in ("api", "one", "two")]
    for home in homes:
        home.data.mkdir()
    with ExitStack() as logs:
        log = [logs.enter_context((home.data / "log").open("wb")).fileno() for home in homes]
        processes.append(started(homes[0], ("app.main", HOST, str(port)), log[0]))
        processes.append(started(homes[1], ("workers",), log[1]))
        live = Live(port, homes[0], processes[0], homes[0].data / "log")
        wait_until_ready(live)
        headers = {"Authorization": f"apiKey {asyncio.run(new_key(homes[0], 'machines'))}"}
        with httpx.Client(base_url=live.url, headers=headers, timeout=60, trust_env=False) as client:
            path = begun(client)
            until(client, path, lambda run: run["created"] > 0)
            processes[1].send_signal(signal.SIGTERM)
            processes[1].wait(30)
            halted = client.get(path).json()
            assert 0 < halted["created"] < ROWS
            processes.append(started(homes[2], ("workers",), log[2]))
            ended = until(client, path, lambda run: run["done"])
    assert (ended["status"], ended["created"], ended["errors"]) == ("finished", ROWS, 0)
    [name] = {key.removeprefix(prefix) for key in objects.keys(prefix)} - {MARKER}
    assert [name in files(home.data / "cache/stored") for home in homes] == [True] * 3


def begun(client: httpx.Client) -> str:
    form = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    answer = client.post("/imports", data=form, files={"file": ("contacts.csv", contacts(ROWS), "text/csv")})
    assert answer.status_code == 201, answer.text
    return f"/imports/{answer.json()['id']}"


def until(client: httpx.Client, path: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while not reached(run := client.get(path).json()):
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    return run
