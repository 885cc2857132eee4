"""Undo over HTTP: what it would do, what it has done, who may, and what is told of it."""

import json
from typing import Any

import httpx

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account


async def send(client: httpx.AsyncClient, account: Account, text: str, **parts: str) -> str:
    sent = {"type": "contacts", "overrideExisting": "true", "updateOnlyEmptyFields": "false", "delimiter": ",", **parts}
    answer = await client.post(
        "/imports", data=sent, files={"file": ("people.csv", text.encode(), "text/csv")}, headers=account.headers
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_an_import_is_looked_at_undone_and_undone_again(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    headers = an_account.headers
    await finish(runtime, await send(client, an_account, "_email,_name\na@x.io,Ann\n"))
    second = await send(client, an_account, "_email,_name\na@x.io,Anna\nb@x.io,Bob\n")
    early = await client.post(f"/imports/{second}/undo", headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "import_not_ended")
    await finish(runtime, second)
    assert "undoableUntil" in (await client.get(f"/imports/{second}", headers=headers)).json()

    changes = (await client.get(f"/imports/{second}/changes?limit=1", headers=headers)).json()
    assert [(each["key"], each["outcome"], each["row"]) for each in changes["results"]] == [("a@x.io", "updated", 1)]
    assert changes["results"][0]["fields"] == [{"field": "_name", "before": "Ann", "after": "Anna"}]
    lines = (await client.get(f"/imports/{second}/changes?format=jsonl", headers=headers)).text.splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["updated", "created"]

    seen = await client.post(f"/imports/{second}/undo", json={"dryRun": True}, headers=headers)
    assert seen.status_code == 200
    told = {"removed": 1, "restored": 1, "putBack": 0, "same": 0, "leftAlone": 0}
    assert seen.json() == {"dryRun": True, "total": 2, "examples": [], **told}

    begun = await client.post(f"/imports/{second}/undo", headers=headers)
    twice = await client.post(f"/runs/{second}/undo", headers=headers)
    assert (begun.status_code, twice.json()["id"]) == (201, begun.json()["id"])
    assert {name: begun.json()[name] for name in ("kind", "relation", "parentId", "name")} == {
        "kind": "undo",
        "relation": "undo",
        "parentId": second,
        "name": "Undo of people.csv",
    }
    await finish(runtime, begun.json()["id"])

    undone = (await client.get(f"/runs/{begun.json()['id']}", headers=headers)).json()
    assert (undone["status"], undone["undo"], undone["outcome"]) == ("finished", told, "complete")
    shown = (await client.get(f"/imports/{second}", headers=headers)).json()
    assert shown["undoneBy"] == undone["id"]
    assert "undoableUntil" not in shown
    assert (await client.get("/records/contacts/a@x.io", headers=headers)).json()["data"]["_name"] == "Ann"
    assert (await client.get("/records/contacts/b@x.io", headers=headers)).status_code == 404

    redo = await client.post(f"/runs/{undone['id']}/undo", headers=headers)
    await finish(runtime, redo.json()["id"])
    assert (await client.get("/records/contacts/b@x.io", headers=headers)).json()["data"]["_name"] == "Bob"
    assert "undoneBy" not in (await client.get(f"/imports/{second}", headers=headers)).json()
    listed = (await client.get("/runs?kind=undo", headers=headers)).json()["results"]
    assert [each["id"] for each in listed] == [redo.json()["id"], undone["id"]]
    assert "undoableUntil" in listed[0]


async def test_removing_records_by_undo_needs_the_scope_that_deletes(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, runtime: Runtime, finish: Finish
) -> None:
    created = await send(client, an_account, "_email,_name\na@x.io,Ann\n")
    await finish(runtime, created)
    changed = await send(client, an_account, "_email,_name\na@x.io,Anna\n")
    await finish(runtime, changed)
    writer = await a_key(scopes=["imports:read", "imports:write"], name=an_account.name)
    refused = await client.post(f"/imports/{created}/undo", headers=writer.headers)
    assert refused.status_code == 403
    assert "imports:delete" in refused.json()["detail"]
    assert (await client.post(f"/imports/{changed}/undo", headers=writer.headers)).status_code == 201


async def test_the_history_of_a_record_tells_what_changed_it_newest_first(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    headers, path = an_account.headers, "/records/catalog/p%2F1/history"
    first = await send(client, an_account, "productID,productName\nx,X\np/1,One\np/1,Two\n", type="catalog")
    await finish(runtime, first)
    await client.post("/v2/products", json={"productID": "p/1", "productName": "Three"}, headers=headers)
    last = await send(client, an_account, "productID,productName\np/1,Four\n", type="catalog", name="Prices")
    await finish(runtime, last)
    undo = (await client.post(f"/imports/{last}/undo", headers=headers)).json()["id"]
    await finish(runtime, undo)
    assert (await client.delete("/v2/products/p%2F1", headers=headers)).status_code == 200

    found = (await client.get(path, headers=headers)).json()["results"]
    told = [
        (each["outcome"], each.get("runId"), [name_of(each, side) for side in ("before", "after")]) for each in found
    ]
    assert told == [
        ("removed", None, ["Three", None]),
        ("updated", undo, ["Four", "Three"]),
        ("updated", last, ["Three", "Four"]),
        ("updated", None, ["Two", "Three"]),
        ("created", first, [None, "Two"]),
    ]
    assert len({each["sentBy"] for each in found}) == 1  # a single write and a delete, too
    place = {"row": 1, "line": 2, "fileName": "people.csv", "runName": "Prices", "runKind": "import"}
    assert found[2].items() >= place.items()
    pages, url = [], f"{path}?limit=2"
    while url:
        page = (await client.get(url, headers=headers)).json()
        pages += page["results"]
        url = page["links"].get("next", "")
    assert pages == found
    assert (await client.get("/records/catalog/never/history", headers=headers)).status_code == 404


def name_of(change: dict[str, Any], side: str) -> str | None:
    return next((each.get(side) for each in change["fields"] if each["field"] == "productName"), None)


async def test_an_import_may_keep_nothing_of_what_it_changes(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = await send(client, an_account, "_email,_name\na@x.io,Ann\n", undoable="false")
    await finish(runtime, run)
    assert "undoableUntil" not in (await client.get(f"/imports/{run}", headers=an_account.headers)).json()
    refused = await client.post(f"/imports/{run}/undo", headers=an_account.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_undoable")


async def test_records_that_contradict_a_later_declaration_are_not_brought_back(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    headers = an_account.headers

    async def declare(key: str, kind: str) -> int:
        fields = [{"id": "code", "type": "text"}, {"id": "n", "type": kind}]
        body = {"key": key, "fields": fields}
        return (await client.put("/types/things", json=body, headers=headers)).status_code

    assert await declare("code", "text") == 201
    first = await send(client, an_account, "code,n\na,x\n", type="things")
    await finish(runtime, first)
    undo = (await client.post(f"/imports/{first}/undo", headers=headers)).json()["id"]
    assert await declare("code", "integer") == 409
    await finish(runtime, undo)
    assert await declare("code", "integer") == 200
    refused = await client.post(f"/runs/{undo}/undo", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_undoable")
    assert "has changed since, and the earlier records may not fit it" in refused.json()["detail"]
    assert await declare("code", "text") == 200
    assert (await client.post(f"/runs/{undo}/undo", headers=headers)).status_code == 201
