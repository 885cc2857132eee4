"""Who waits for a run is told of each change: by a poll that costs nothing meanwhile, or by a stream of events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.storage.database import PLAN_VERSION
from app.web.runs import events, waiting
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, app_on, client_of, post

BAD = b"_email,_name,_points\na@example.org,A,many\nb@example.org,B,more\n"
HALTING = {"maxErrors": "0"}


@pytest.fixture(autouse=True)
async def worker(runtime: Runtime) -> AsyncIterator[None]:
    """Somebody seems to work; the tests do it themselves."""
    await runtime.queue.send_heartbeat("somebody", PLAN_VERSION)
    yield
    await runtime.queue.remove_worker("somebody")


async def write(runtime: Runtime, run_id: str, what: str) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text(f"UPDATE runs SET {what} WHERE id = :id"), {"id": run_id})


async def import_one(client: httpx.AsyncClient, account: Account, **more: Any) -> str:
    return str((await post(client, account, **more)).json()["id"])


async def wait_until_held(runtime: Runtime, account: Account, *asked: "asyncio.Task[httpx.Response]") -> None:
    """Until all of these requests wait."""
    while runtime.under_way.waits[account.id] < len(asked):
        assert not any(each.done() for each in asked), [each.result().text for each in asked if each.done()]
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # a stream is let in a moment before it waits


def told(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream: id and data."""
    found = []
    for event in filter(None, answer.text.split("\n\n")):
        lines = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["id"], json.loads(lines["data"])))
    return found


@pytest.mark.parametrize("path", ["/imports", "/runs"])
async def test_a_poll_is_answered_304_until_the_run_has_changed(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, path: str
) -> None:
    ahead = await import_one(client, an_account)
    run_id = await import_one(client, an_account)

    async def poll(tag: str) -> httpx.Response:
        return await client.get(f"{path}/{run_id}", headers={**an_account.headers, "If-None-Match": tag})

    queued = await client.get(f"{path}/{run_id}", headers=an_account.headers)
    assert queued.json()["queuePosition"] == 2
    same = await poll(f'"other", {queued.headers["ETag"]}')
    assert (same.status_code, same.content, same.headers["Retry-After"]) == (304, b"", "1")
    assert same.headers["ETag"] == queued.headers["ETag"]

    await finish(runtime, ahead)
    moved = await poll(queued.headers["ETag"])
    assert (moved.status_code, moved.json()["queuePosition"]) == (200, 1)
    await finish(runtime, run_id)
    ended = await poll(moved.headers["ETag"])
    assert (ended.status_code, ended.json()["status"]) == (200, "finished")
    same = await poll(ended.headers["ETag"].removeprefix("W/"))
    assert (same.status_code, "Retry-After" in same.headers) == (304, False)


async def test_an_import_comes_with_its_tag_and_an_export_has_one(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    created = await post(client, an_account)
    again = await client.get(f"/imports/{created.json()['id']}", headers=an_account.headers)
    assert created.headers["ETag"] == again.headers["ETag"] != ""
    export = await client.post("/exports", headers=an_account.headers, json={"type": "contacts"})
    headers = {**an_account.headers, "If-None-Match": export.headers["ETag"]}
    assert (await client.get(f"/exports/{export.json()['id']}", headers=headers)).status_code == 304


@pytest.mark.parametrize("path", ["/imports", "/runs", "/exports"])
async def test_a_list_is_answered_304_until_one_of_its_runs_has_changed(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, path: str
) -> None:
    await import_one(client, an_account)
    await client.post("/exports", headers=an_account.headers, json={"type": "contacts"})
    before = await client.get(path, headers=an_account.headers)
    asked = {**an_account.headers, "If-None-Match": before.headers["ETag"]}
    same = await client.get(path, headers=asked)
    assert (same.status_code, same.headers["ETag"]) == (304, before.headers["ETag"])
    assert (await client.get(path, headers=asked, params={"type": "products"})).status_code == 200
    await write(runtime, before.json()["results"][-1]["id"], "name = 'X'")
    assert (await client.get(path, headers=asked)).status_code == 200


async def test_a_poll_that_may_wait_is_answered_when_something_changes(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    created = await post(client, an_account)
    run_id = created.json()["id"]
    headers = {**an_account.headers, "If-None-Match": created.headers["ETag"]}
    held = asyncio.create_task(
        client.get(f"/imports/{run_id}", headers=headers | {"Prefer": "respond-async, WAIT=600; x=1"})
    )
    await wait_until_held(runtime, an_account, held)
    assert not held.done()
    await finish(runtime, run_id)
    answer = await held
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=60")
    assert answer.json()["status"] in ("inProgress", "finished")
    assert not runtime.under_way.waits

    # What has ended changes no more, and what is not understood is no wait.
    ended = (await client.get(f"/imports/{run_id}", headers=an_account.headers)).headers["ETag"]
    began = time.monotonic()
    for preference in ("wait=30", "wait=-1", "wait", "wait=soon", "wait=0"):
        asked = {**an_account.headers, "If-None-Match": ended, "Prefer": preference}
        answer = await client.get(f"/imports/{run_id}", headers=asked)
        assert (answer.status_code, "Preference-Applied" in answer.headers) == (304, False)
    assert time.monotonic() - began < 5


async def test_a_poll_that_has_waited_in_vain_is_answered_304(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    created = await post(client, an_account)
    headers = {**an_account.headers, "If-None-Match": created.headers["ETag"], "Prefer": 'wait="1"'}
    began = time.monotonic()
    answer = await client.get(f"/runs/{created.json()['id']}", headers=headers)
    assert 1 <= time.monotonic() - began < 10
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (304, "wait=1")


async def test_what_waits_for_a_person_is_told_at_once_to_who_has_not_seen_it(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    run_id = await import_one(client, an_account, file=BAD, parts=HALTING)
    await finish(runtime, run_id)
    asked = {**an_account.headers, "Prefer": "wait=50"}
    halted = await client.get(f"/runs/{run_id}", headers=asked)
    assert (halted.json()["status"], halted.headers["Preference-Applied"]) == ("halted", "wait=50")
    held = asyncio.create_task(
        client.get(f"/runs/{run_id}", headers={**asked, "If-None-Match": halted.headers["ETag"]})
    )
    await wait_until_held(runtime, an_account, held)
    await client.post(f"/runs/{run_id}/cancel", headers=an_account.headers)
    assert (await held).json()["status"] == "cancelled"


async def test_nobody_waits_for_what_they_may_not_see(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    other = await a_key()
    exporter = await a_key(["exports:read"], an_account.name)
    run_id = await import_one(client, an_account)
    asked = {"If-None-Match": "*", "Prefer": "wait=50"}
    for account, path, status in (
        (other, f"/imports/{run_id}", 404),
        (other, f"/runs/{run_id}", 404),
        (exporter, f"/runs/{run_id}", 403),
        (an_account, f"/exports/{run_id}", 404),
    ):
        assert (await client.get(path, headers=account.headers | asked)).status_code == status
        if not path.startswith("/exports"):
            assert (await client.get(f"{path}/events", headers=account.headers)).status_code == status


async def test_a_revoked_key_is_told_nothing_of_what_it_has_waited_for(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, a_key: NewAccount
) -> None:
    revoked = await a_key(name=an_account.name)
    created = await post(client, an_account)
    path = f"/imports/{created.json()['id']}"
    asked = {**revoked.headers, "If-None-Match": created.headers["ETag"], "Prefer": "wait=50"}
    held = [
        asyncio.create_task(client.get(path, headers=asked)),
        asyncio.create_task(client.get(f"{path}/events", headers=revoked.headers)),
    ]
    await wait_until_held(runtime, an_account, *held)
    async with runtime.database.transaction() as session:
        await session.execute(
            text("UPDATE api_keys SET revoked_at = now() WHERE id = :id"), {"id": revoked.key.partition(":")[0]}
        )
    await write(runtime, created.json()["id"], "name = 'Secret'")
    poll, stream = await asyncio.gather(*held)
    assert poll.status_code == 401
    assert [data.get("name") for _, data in told(stream)] == [None]


async def test_events_show_each_change_until_the_end_and_no_other_write(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    run_id = await import_one(client, an_account, file=BAD, parts=HALTING)
    following = asyncio.create_task(client.get(f"/imports/{run_id}/events", headers=an_account.headers))
    await wait_until_held(runtime, an_account, following)
    await write(runtime, run_id, "heartbeat_at = now()")  # as a lease that is renewed
    await asyncio.sleep(0.4)
    await finish(runtime, run_id)
    while (await client.get(f"/runs/{run_id}", headers=an_account.headers)).json()["status"] != "halted":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.4)
    await client.post(f"/imports/{run_id}/cancel", headers=an_account.headers)
    answer = await following
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = told(answer)
    seen = [data.get("held", data["status"]) for _, data in found]
    assert [state for state in seen if state != "inProgress"] == ["queued", "halted", "cancelled"]
    now = await client.get(f"/imports/{run_id}", headers=an_account.headers)
    assert found[-1][1] == now.json()

    # Who was there at the end does not come back, and who missed it is told.
    again = {**an_account.headers, "Last-Event-ID": found[-1][0]}
    assert (await client.get(f"/imports/{run_id}/events", headers=again)).status_code == 204
    missed = {**an_account.headers, "Last-Event-ID": found[0][0]}
    assert told(await client.get(f"/imports/{run_id}/events", headers=missed)) == [found[-1]]


async def test_events_end_with_a_run_that_is_deleted(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    run_id = await import_one(client, an_account)
    following = asyncio.create_task(client.get(f"/runs/{run_id}/events", headers=an_account.headers))
    await wait_until_held(runtime, an_account, following)
    async with runtime.database.transaction() as session:
        await session.execute(text("DELETE FROM runs WHERE id = :id"), {"id": run_id})
    assert [data["status"] for _, data in told(await following)] == ["queued"]
    assert (await client.get(f"/runs/{run_id}/events", headers=an_account.headers)).status_code == 404


async def test_who_finds_no_place_is_answered_at_once(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_OF_ACCOUNT", 0)
    created = await post(client, an_account)
    path = f"/imports/{created.json()['id']}"
    asked = {**an_account.headers, "If-None-Match": created.headers["ETag"], "Prefer": "wait=50"}
    answer = await client.get(path, headers=asked)
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (304, False)
    refused = await client.get(f"{path}/events", headers=an_account.headers)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")


@pytest.mark.parametrize("path", ["", "/events"])
async def test_who_asks_only_for_headers_does_not_wait(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    run_id = await import_one(client, an_account)
    began = time.monotonic()
    headed = await client.head(f"/runs/{run_id}{path}", headers={**an_account.headers, "Prefer": "wait=50"})
    assert (headed.status_code, headed.content) == (200, b"")
    assert time.monotonic() - began < 10


async def test_a_queued_run_tells_that_no_worker_is_there_whatever_the_client_knows(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    path = f"/imports/{await import_one(client, an_account)}"
    with_worker = await client.get(path, headers=an_account.headers)
    asked = {**an_account.headers, "If-None-Match": with_worker.headers["ETag"]}
    assert (await client.get(path, headers=asked)).status_code == 304
    await runtime.queue.remove_worker("somebody")
    without = await client.get(path, headers=asked)
    assert (without.status_code, without.json()["waitsFor"]["code"]) == (200, "worker")
    assert "ETag" not in without.headers


@pytest.mark.parametrize("path", ["/imports", "/runs", "/exports"])
async def test_a_list_tells_that_no_worker_is_there_whatever_the_client_knows(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, path: str
) -> None:
    for _ in range(2):
        await import_one(client, an_account)
        await client.post("/exports", headers=an_account.headers, json={"type": "contacts"})
    with_worker = await client.get(path, headers=an_account.headers)
    assert {each["waitsFor"]["code"] for each in with_worker.json()["results"]} == {"turn"}
    asked = {**an_account.headers, "If-None-Match": with_worker.headers["ETag"]}
    assert (await client.get(path, headers=asked)).status_code == 304
    await runtime.queue.remove_worker("somebody")
    without = await client.get(path, headers=asked)
    assert without.status_code == 200
    assert {each["waitsFor"]["code"] for each in without.json()["results"]} == {"worker"}
    again = {**an_account.headers, "If-None-Match": without.headers["ETag"]}
    assert (await client.get(path, headers=again)).status_code == 304


async def test_an_import_that_has_ended_tells_what_came_of_it_whatever_the_client_knows(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    run_id = await import_one(client, an_account, file=BAD)
    await finish(runtime, run_id)
    path = f"/imports/{run_id}"
    ended = await client.get(path, headers=an_account.headers)
    retried = await client.post(f"{path}/retry", headers=an_account.headers)
    assert retried.status_code == 201, retried.text
    known = {**an_account.headers, "If-None-Match": ended.headers["ETag"]}
    answer = await client.get(path, headers=known)
    assert (answer.status_code, answer.json()["family"]["runs"], "ETag" in answer.headers) == (200, 2, False)


async def test_a_silent_stream_says_that_it_is_there(
    runtime: Runtime, an_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SILENT_SECONDS", 0.05)
    async with client_of(app_on(runtime)) as client:
        run_id = await import_one(client, an_account)
        following = asyncio.create_task(client.get(f"/runs/{run_id}/events", headers=an_account.headers))
        await asyncio.sleep(0.5)
        async with runtime.database.transaction() as session:
            await session.execute(text("DELETE FROM runs WHERE id = :id"), {"id": run_id})
        assert (await following).text.count(": ping") >= 2
