"""`mode=delete`: how a file of keys is asked for, shown, refused, tried and undone, over HTTP."""

from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import CONTACTS, Account, post

DELETE = {"type": "contacts", "delimiter": ",", "mode": "delete"}
KEYS = b"_email\nJOHN@example.org\nnobody@example.org\nno address\n"


@pytest.fixture
async def stored(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> None:
    await finish(runtime, (await post(client, an_account, CONTACTS)).json()["id"])


async def deleted(
    client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish, **parts: str
) -> dict[str, Any]:
    started = await post(client, account, KEYS, parts={**DELETE, "overrideExisting": "true", **parts})
    assert started.status_code == 201, started.text
    await finish(runtime, started.json()["id"])
    told: dict[str, Any] = (await client.get(f"/imports/{started.json()['id']}", headers=account.headers)).json()
    return told


@pytest.mark.usefixtures("stored")
async def test_the_answers_tell_what_it_has_removed_and_the_history_knows_it(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    told = await deleted(client, an_account, runtime, finish)
    assert told["options"]["mode"] == "delete"
    assert "maxRemovedShare" not in told["options"]
    assert [told[name] for name in ("created", "updated", "unchanged", "errors", "removed")] == [0, 1, 1, 1, 1]
    run = (await client.get(f"/runs/{told['id']}", headers=an_account.headers)).json()
    assert (run["removed"], run["updated"]) == (1, 1)
    results = await client.get(f"/imports/{told['id']}/results", headers=an_account.headers)
    assert [line.split(",")[-4] for line in results.text.splitlines()[1:]] == ["updated", "unchanged", "failed"]
    assert (await client.get("/records/contacts/john@example.org", headers=an_account.headers)).status_code == 404
    history = await client.get("/records/contacts/john@example.org/history", headers=an_account.headers)
    latest = history.json()["results"][0]
    assert (latest["outcome"], latest["runId"]) == ("removed", told["id"])

    undo = (await client.post(f"/imports/{told['id']}/undo", headers=an_account.headers)).json()
    await finish(runtime, undo["id"])
    found = await client.get("/records/contacts/john@example.org", headers=an_account.headers)
    assert found.json()["data"] == {"_email": "john@example.org", "_name": "John", "_points": 10}


@pytest.mark.usefixtures("stored")
async def test_a_dry_run_lists_what_would_go_and_a_retry_deletes_too(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    planned = await deleted(client, an_account, runtime, finish, dryRun="true")
    assert (planned["status"], planned["removed"]) == ("queued", 1)
    changes = (await client.get(f"/imports/{planned['id']}/changes", headers=an_account.headers)).json()["results"]
    assert [(each["key"], each["outcome"]) for each in changes] == [("john@example.org", "removed")]
    await client.post(f"/imports/{planned['id']}/commit", headers=an_account.headers, json={})
    await finish(runtime, planned["id"])
    corrected = {"file": ("c.csv", b"_email\nsteve@example.org\n", "text/csv")}
    retried = await client.post(f"/imports/{planned['id']}/retry", headers=an_account.headers, files=corrected)
    assert (retried.status_code, retried.json()["options"]["mode"]) == (201, "delete")
    await finish(runtime, retried.json()["id"])
    assert (await client.get("/records/contacts", headers=an_account.headers)).json()["results"] == []


@pytest.mark.parametrize(
    ("parts", "path"),
    [({"mode": "remove"}, "mode"), ({"replace": "true"}, "replace"), ({"onError": "stop"}, "onError")],
)
async def test_what_does_not_go_together_is_refused(
    client: httpx.AsyncClient, an_account: Account, parts: dict[str, str | None], path: str
) -> None:
    refused = await post(client, an_account, KEYS, parts={**DELETE, **parts})
    assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, [path])


async def test_it_takes_the_key_of_somebody_who_may_delete_through_every_door(
    client: httpx.AsyncClient, a_key: NewAccount
) -> None:
    lacking = await a_key(scopes=["imports:write", "mappings:write", "imports:read"])
    columns = {"name": "Gone", "type": "contacts", "columns": [{"column": "mail", "field": "_email"}]}
    doors = [
        await post(client, lacking, KEYS, parts=DELETE),
        await client.post("/mappings", headers=lacking.headers, json={**columns, "options": {"mode": "delete"}}),
    ]
    assert [(each.status_code, "imports:delete" in each.json()["detail"]) for each in doors] == [(403, True)] * 2


@pytest.mark.usefixtures("stored")
async def test_what_comes_of_a_delete_takes_who_may_delete_and_keeps_its_limits(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    told = await deleted(client, an_account, runtime, finish, maxRemoved="1")
    lacking = await a_key(scopes=["imports:write", "imports:read"], name=an_account.name)
    file = {"file": ("c.csv", b"_email\nsteve@example.org\n", "text/csv")}
    body = {"corrections": [{"column": "_email", "from": "no address", "to": "steve@example.org"}]}
    own = f"/imports/{told['id']}"
    doors = [
        await client.post(f"{own}/retry", headers=lacking.headers, files=file),
        await client.post(f"{own}/retry", headers=lacking.headers),
        await client.post(f"{own}/corrections", headers=lacking.headers, json=body),
    ]
    assert [(each.status_code, "imports:delete" in each.json()["detail"]) for each in doors] == [(403, True)] * 3
    corrected = (await client.post(f"{own}/corrections", headers=an_account.headers, json=body)).json()
    assert (corrected["options"]["mode"], corrected["options"]["maxRemoved"]) == ("delete", 1)


@pytest.mark.parametrize(
    ("type", "first", "keys", "left"),
    [
        ("customers", b"source_id,name\nC-1,Ana\nC-2,Bea\n", b"source_id\nC-1\nC-9\n", ["C-2"]),
        ("catalog", b"productID,productName\nP-1,A\nP-2,B\n", b"productID,productName\nP-1,\nP-9,\n", ["B"]),
        ("catalog", b"productID,productName\nP-1,A\nP-2,B\n", b'{"productID": "P-1"}\n{"productID": "P-9"}\n', ["B"]),
    ],
)
async def test_records_of_every_kind_of_type_go_by_their_keys(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish,
    type: str, first: bytes, keys: bytes, left: list[str],
) -> None:  # fmt: skip
    parts = {"type": type}
    await finish(runtime, (await post(client, an_account, first, parts=parts)).json()["id"])
    name = "k.jsonl" if keys.startswith(b"{") else "k.csv"
    started = await post(client, an_account, keys, name=name, parts={**parts, "mode": "delete"})
    assert started.status_code == 201, started.text
    await finish(runtime, started.json()["id"])
    told = (await client.get(f"/imports/{started.json()['id']}", headers=an_account.headers)).json()
    assert (told["removed"], told["unchanged"], told["errors"]) == (1, 1, 0)
    listed = (await client.get(f"/records/{type}", headers=an_account.headers)).json()["results"]
    assert [left[0] in each["data"].values() for each in listed] == [True]


async def test_where_the_service_makes_the_keys_the_file_needs_their_column(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    made = await post(client, an_account, b"Name\nRed\nBlue\n", parts={"type": "tags"})
    await finish(runtime, made.json()["id"])
    listed = (await client.get("/records/tags", headers=an_account.headers)).json()["results"]
    refused = await post(client, an_account, b"Name\nRed\n", parts={"type": "tags", "mode": "delete"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "mode")
    file = f"Name,_id\nRed,{listed[0]['key']}\nBlue,\n".encode()
    run = await post(client, an_account, file, parts={"type": "tags", "mode": "delete"})
    await finish(runtime, run.json()["id"])
    told = (await client.get(f"/imports/{run.json()['id']}", headers=an_account.headers)).json()
    assert (told["removed"], told["errors"], told["errorSummary"][0]["code"]) == (1, 1, "missing_key")
