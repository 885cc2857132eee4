"""Runs of item syncs as callers see them: started, listed, read with their reports."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runs import status
from app.runtime import Runtime
from app.surfaces.native.run_items import encode_runs
from tests.conftest import NewAccount
from tests.support.http import Account
from tests.surfaces.native.test_item_syncs import made

REPORT = """{"files": [{"role": "items", "path": "/items/a.csv", "bytes": 3, "sha256": "00"}],
"images": {"path": "/itempictures.zip", "status": "fetched", "added": 1, "refused": [
    {"name": "a.txt", "code": "other_extension", "message": "No"}]},
"entities": {"items": {"added": 1}}}"""
TWICE = {"file": "/items/a.csv", "line": 3, "row": 2, "message": "Twice"}
WARNINGS = [
    {"code": "no_images", "subject": "", "message": "There are none", "count": 1, "samples": []},
    {"code": "duplicate_key", "subject": "", "message": "Twice", "count": 1, "samples": [TWICE]},
]


async def run(client: httpx.AsyncClient, account: Account, sync: dict[str, Any], **body: Any) -> httpx.Response:
    return await client.post(f"/item-syncs/{sync['id']}/runs", headers=account.headers, json=body)


async def fetched(runtime: Runtime, run_id: str) -> None:
    """As if the run had been worked off."""
    worked_off = """UPDATE runs SET state = 'finished', finished_at = now(), total = 0, secret = NULL,
        report = CAST(:report AS jsonb), warnings = CAST(:warnings AS jsonb) WHERE id = :id"""
    async with runtime.database.transaction() as session:
        await session.execute(text(worked_off), {"id": run_id, "report": REPORT, "warnings": json.dumps(WARNINGS)})


async def test_a_run_is_started_and_found_in_every_list_with_its_report(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    sync = await made(client, an_account)
    answer = await run(client, an_account, sync, mode="full", dryRun=True)
    assert answer.status_code == 201, answer.text
    started = answer.json()
    assert (started["kind"], started["status"], started["step"]) == ("sync", "queued", "fetch")
    assert (started["syncId"], started["name"]) == (sync["id"], "App4Sales")
    own = f"http://sluice.test/runs/{started['id']}"
    assert started["links"] == {"self": own, "cancel": f"{own}/cancel"}
    assert "report" not in started

    await fetched(runtime, started["id"])

    read = (await client.get(f"/runs/{started['id']}", headers=an_account.headers)).json()
    assert read["report"] == json.loads(REPORT)
    assert read["warnings"] == [
        {"code": "no_images", "message": "There are none", "count": 1},
        {"code": "duplicate_key", "message": "Twice", "count": 1, "samples": [TWICE]},
    ]
    shown = (await client.get(f"/item-syncs/{sync['id']}", headers=an_account.headers)).json()
    assert (shown["lastRunId"], shown["lastRunStatus"]) == (started["id"], "finished")
    assert (await client.get("/item-syncs", headers=an_account.headers)).json()["results"] == [shown]
    again = await client.put(f"/item-syncs/{sync['id']}", headers=an_account.headers, json=shown)
    assert again.json()["lastRunId"] == started["id"]
    del read["report"]["files"], read["report"]["images"]["refused"], read["warnings"][1]["samples"]
    for path in (f"/item-syncs/{sync['id']}/runs", "/runs?kind=sync", f"/runs?syncId={sync['id']}"):
        listed = await client.get(path, headers=an_account.headers)
        assert listed.json() == {"links": {}, "results": [read]}, path


async def test_runs_are_paged_newest_first(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    sync = await made(client, an_account)
    ids = []
    for _ in range(3):
        ids.append((await run(client, an_account, sync)).json()["id"])
        await fetched(runtime, ids[-1])
    first = (await client.get(f"/item-syncs/{sync['id']}/runs?limit=2", headers=an_account.headers)).json()
    last = (await client.get(first["links"]["next"], headers=an_account.headers)).json()
    assert [each["id"] for each in first["results"] + last["results"]] == ids[::-1]
    assert last["links"] == {}


async def test_a_page_of_runs_with_many_warnings_holds_up_no_other_request(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    started = (await run(client, an_account, await made(client, an_account))).json()["id"]
    async with runtime.database.read() as session:
        found = await status.find_run(session, an_account.id, started, kind=None, retention_days=1)
        current = await status.read_status(session, found)
    listed = [replace(current, run=replace(found, warnings=WARNINGS[:1] * 200))] * 100
    encoding = asyncio.create_task(encode_runs(listed, None, base="", retention_days=1, undo_days=1))
    turns = 0
    while not encoding.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert len(json.loads(await encoding)["results"][-1]["warnings"]) == 200
    assert turns > 3, "of the event loop"


async def test_a_run_that_is_open_is_the_only_one_of_its_sync(client: httpx.AsyncClient, an_account: Account) -> None:
    sync = await made(client, an_account)
    await run(client, an_account, sync)
    again = await run(client, an_account, sync)
    assert (again.status_code, again.json()["code"]) == (409, "sync_not_ended")
    other = await made(client, an_account, name="Other", connectionId=sync["connectionId"])
    assert (await run(client, an_account, other)).status_code == 201


async def test_a_sync_whose_connection_is_gone_says_so(client: httpx.AsyncClient, an_account: Account) -> None:
    sync = await made(client, an_account)
    await client.delete(f"/connections/{sync['connectionId']}", headers=an_account.headers)
    answer = await run(client, an_account, sync)
    reason = "The connection of this item sync does not exist any more. Give the item sync another one"
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"path": "connectionId", "reason": reason}])


@pytest.mark.parametrize(("body", "path"), [({"mode": "clean"}, "mode"), ({"dryRun": "x"}, "dryRun"), ({"a": 1}, "a")])
async def test_a_wrong_member_is_named(
    client: httpx.AsyncClient, an_account: Account, body: dict[str, Any], path: str
) -> None:
    answer = await run(client, an_account, await made(client, an_account), **body)
    assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, [path])


async def test_the_mode_full_takes_the_right_to_remove_records(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime
) -> None:
    sync = await made(client, an_account)
    writer = await a_key(["syncs:write", "connections:read", "schedules:write"], name=an_account.name)

    async def refused(method: str, path: str, **body: Any) -> bool:
        answer = await client.request(method, path, headers=writer.headers, json=body)
        assert answer.status_code in (200, 201, 403), answer.text
        return answer.status_code == 403 and "`imports:delete`" in answer.json()["detail"]

    own, nightly = f"/item-syncs/{sync['id']}", {"kind": "sync", "syncId": sync["id"], "cron": "0 2 * * *"}
    assert not await refused("PUT", own, **sync)
    assert await refused("PUT", own, **{**sync, "mode": "full"})
    assert await refused("POST", "/item-syncs", name="B", connectionId=sync["connectionId"], mode="full")
    assert await refused("POST", f"{own}/runs", mode="full")
    assert await refused("POST", "/schedules", name="A", **nightly, request={"mode": "full"})
    assert not await refused("POST", "/schedules", name="C", **nightly)

    # Somebody else makes the item sync full: what the writer does not say counts as well.
    await client.put(own, headers=an_account.headers, json={**sync, "mode": "full"})
    assert await refused("POST", f"{own}/runs")
    assert await refused("POST", "/schedules", name="D", **nightly)
    schedules = (await client.get("/schedules", headers=an_account.headers)).json()["results"]
    assert await refused("POST", f"/schedules/{schedules[0]['id']}/resume")
    assert not await refused("POST", "/schedules", name="D", **nightly, request={"mode": "incremental"})
    started = (await client.post(f"{own}/runs", headers=an_account.headers)).json()["id"]
    async with runtime.database.transaction() as session:
        halt = "UPDATE runs SET state = 'halted', held_at = now(), fail_code = 'brake', fail_detail = '' WHERE id = :id"
        await session.execute(text(halt), {"id": started})
    assert await refused("POST", f"/runs/{started}/resume")


async def test_running_takes_the_scope_to_write(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    sync = await made(client, an_account)
    reader = await a_key(["syncs:read"], name=an_account.name)
    writer = await a_key(["syncs:write"], name=an_account.name)
    assert (await run(client, reader, sync)).status_code == 403
    assert (await run(client, writer, sync)).status_code == 201
    listed = await client.get("/runs", headers=reader.headers)
    assert [each["syncId"] for each in listed.json()["results"]] == [sync["id"]]
    assert (await client.get(f"/item-syncs/{sync['id']}/runs", headers=writer.headers)).status_code == 403
