"""A dry run over HTTP: asked for in a form or an address, looked at, committed, and refused where it must be."""

import csv
import io
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post

FILE = b"_email,_name\nana@example.com,Ana\nbob@example.com,Bob\nnobody,Cem\n"


async def read(client: httpx.AsyncClient, account: Account, path: str) -> dict[str, Any]:
    answer = await client.get(path, headers=account.headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def commit(client: httpx.AsyncClient, account: Account, run_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"/imports/{run_id}/commit", headers=account.headers, json=body)


async def test_a_dry_run_is_looked_at_and_committed(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    started = await post(client, an_account, FILE, parts={"dryRun": "true"})
    run_id = started.json()["id"]
    assert (started.status_code, started.json()["options"]["dryRun"]) == (201, True)
    early = await client.get(f"/imports/{run_id}/changes", headers=an_account.headers)
    assert (early.status_code, early.json()["code"]) == (409, "not_held")
    assert (await commit(client, an_account, run_id)).json()["code"] == "not_held"
    await finish(runtime, run_id)

    planned = await read(client, an_account, f"/imports/{run_id}")
    assert (planned["held"], planned["created"], planned["errors"]) == ("planned", 2, 1)
    assert planned["waitsFor"] == {"code": "decision", "detail": "Somebody has to commit or cancel it"}
    assert (await read(client, an_account, "/records/contacts"))["results"] == []
    first = await read(client, an_account, planned["links"]["changes"] + "?limit=1&outcome=created&outcome=updated")
    second = await read(client, an_account, first["links"]["next"])
    assert [each["key"] for each in first["results"] + second["results"]] == ["ana@example.com", "bob@example.com"]
    assert (first["results"][0]["row"], "next" in second["links"]) == (1, False)
    assert {"field": "_name", "after": "Ana"} in first["results"][0]["fields"]
    assert (await read(client, an_account, planned["links"]["changes"] + "?outcome=removed"))["results"] == []
    file = await client.get(f"/imports/{run_id}/changes?format=csv", headers=an_account.headers)
    assert file.headers["content-disposition"] == f'attachment; filename="{run_id}-changes.csv"'
    assert len(list(csv.DictReader(io.StringIO(file.text)))) == 4

    for _ in range(2):  # the answer was lost
        committed = await commit(client, an_account, run_id)
        assert (committed.status_code, committed.json()["status"]) == (200, "queued")
    await finish(runtime, run_id)
    ended = await commit(client, an_account, run_id)
    assert (ended.json()["status"], ended.json()["created"]) == ("finished", 2)


@pytest.mark.parametrize("cursor", ["eA", "!", "AA"])
async def test_a_cursor_that_was_never_issued_is_refused(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish, cursor: str
) -> None:
    run_id = (await post(client, an_account, FILE, parts={"dryRun": "true"})).json()["id"]
    await finish(runtime, run_id)
    refused = await client.get(f"/imports/{run_id}/changes?cursor={cursor}", headers=an_account.headers)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "cursor")


async def test_only_a_dry_run_is_committed_and_only_as_it_was_shown(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    other = (await post(client, an_account, FILE)).json()["id"]
    assert (await commit(client, an_account, other)).json()["code"] == "not_planned"
    await finish(runtime, other)

    run_id = (
        await client.post(
            f"/imports/{other}/rerun?dryRun=true",
            headers=an_account.headers,
            files={"file": FILE.replace(b"Ana", b"Eva")},
        )
    ).json()["id"]
    await finish(runtime, run_id)
    planned = await read(client, an_account, f"/imports/{run_id}")
    assert (planned["held"], planned["updated"], planned["relation"]) == ("planned", 1, "rerun")
    later = await post(client, an_account, FILE.replace(b"Ana", b"Ida"))
    await finish(runtime, later.json()["id"])
    await commit(client, an_account, run_id)
    await finish(runtime, run_id)
    halted = await read(client, an_account, f"/imports/{run_id}")
    assert (halted["held"], halted["failure"]["code"], halted["updated"]) == ("halted", "plan_changed", 0)
    blind = await commit(client, an_account, run_id)
    assert (blind.status_code, blind.json()["code"]) == (409, "plan_changed")
    assert blind.json()["detail"].endswith(f"commit it with its `plan`, which is {halted['plan']}")
    assert (await commit(client, an_account, run_id, plan=halted["plan"])).status_code == 200
    await finish(runtime, run_id)
    record = await read(client, an_account, "/records/contacts/ana%40example.com")
    assert record["data"]["_name"] == "Ida"  # a later import counts more


async def test_all_or_nothing_over_http(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    started = await post(client, an_account, FILE, parts={"onError": "rollback"})
    assert started.json()["options"]["onError"] == "rollback"
    await finish(runtime, started.json()["id"])
    ended = await read(client, an_account, f"/imports/{started.json()['id']}")
    assert (ended["status"], ended["failure"]["code"], ended["success"]) == ("error", "rolled_back", 0)
    assert (ended["errors"], ended["remaining"]) == (1, 2)
    refused = await post(client, an_account, FILE, parts={"onError": "stop", "dryRun": "true"})
    assert refused.json()["errors"] == [
        {
            "path": "onError",
            "reason": "`onError` stop cannot be combined with `dryRun`, which looks at the whole file. Use rollback",
        }
    ]
    assert (await post(client, an_account, FILE, parts={"onError": "halt", "dryRun": "perhaps"})).status_code == 422


async def test_who_may_not_read_records_sees_no_changes(
    client: httpx.AsyncClient, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    account = await a_key(["imports:read", "imports:write"])
    run_id = (await post(client, account, FILE, parts={"dryRun": "true"})).json()["id"]
    await finish(runtime, run_id)
    refused = await client.get(f"/imports/{run_id}/changes", headers=account.headers)
    assert (refused.status_code, "records:read" in refused.json()["detail"]) == (403, True)
