"""Records as they are read: by key, however it is spelled, and page by page, with every digit they were given."""

from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, post

TYPE = {
    "key": "code",
    "fields": [{"id": "code", "type": "text"}, {"id": "price", "type": "decimal"}, {"id": "stock", "type": "integer"}],
}


@pytest.fixture
async def things(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> list[str]:
    """Keys of records that are stored."""
    keys = ["a/b c", "100%", "ünï", "plain", "q?x=1#y", "..", "a%2Fb"]
    rows = "".join(f'"{key}",0.10,12345678901234567890\n' for key in keys)
    assert (await client.put("/types/things", headers=an_account.headers, json=TYPE)).status_code == 201
    file = {"file": ("things.csv", f"code,price,stock\n{rows}".encode())}
    run = (await client.post("/imports", headers=an_account.headers, data={"type": "things"}, files=file)).json()
    await finish(runtime, run["id"])
    return keys


async def test_a_record_is_found_by_any_key_that_is_percent_encoded(
    client: httpx.AsyncClient, an_account: Account, things: list[str]
) -> None:
    for key in things:
        # Dots alone would be taken for a folder by the client itself.
        spelled = quote(key, safe="").replace(".", "%2E")
        answer = await client.get(f"/records/things/{spelled}", headers=an_account.headers)
        assert (answer.status_code, answer.json().get("key")) == (200, key)


async def test_a_record_keeps_the_digits_it_was_given(
    client: httpx.AsyncClient, an_account: Account, things: list[str]
) -> None:
    answer = await client.get("/records/things/plain", headers=an_account.headers)
    body = answer.json()
    assert '"price": 0.10' in answer.text
    assert '"stock": 12345678901234567890' in answer.text
    assert body.keys() == {"type", "key", "data", "createdAt", "updatedAt", "importId", "importRow"}
    assert body["createdAt"].endswith("Z")


async def test_all_records_come_page_by_page_in_the_order_of_their_keys(
    client: httpx.AsyncClient, an_account: Account, things: list[str]
) -> None:
    seen, address = [], "http://sluice.test/records/things?limit=2"
    while address:
        page = (await client.get(address, headers=an_account.headers)).json()
        assert len(page["results"]) <= 2
        seen += [each["key"] for each in page["results"]]
        address = page["links"].get("next")
    assert seen == sorted(things, key=str.encode)


async def test_an_address_is_found_in_any_case(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(client, an_account)).json()
    await finish(runtime, run["id"])
    for spelled in ("john@example.org", "JOHN@Example.org", "john%40example.org"):
        answer = await client.get(f"/records/contacts/{spelled}", headers=an_account.headers)
        assert answer.json()["data"]["_name"] == "John"
        assert answer.json()["importId"] == run["id"]


@pytest.mark.parametrize(
    "path", ["/records/contacts/nobody", "/records/nothing", "/records/nothing/x", "/records/contacts/%00"]
)
async def test_what_is_not_there_is_a_problem_document(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    answer = await client.get(path, headers=an_account.headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:sluice:problem:not_found"


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=!", "cursor=AA", "cursor=/w"])
async def test_a_wrong_query_is_named(client: httpx.AsyncClient, an_account: Account, query: str) -> None:
    answer = await client.get(f"/records/contacts?{query}", headers=an_account.headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["path"] == query.partition("=")[0]


async def test_a_record_leads_to_the_row_that_wrote_it(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    file = b'_email,_name\na@example.org,"Ann\nMary"\nb@example.org,B\xfcb\nc@example.org,"x'
    run = (await post(client, an_account, file)).json()
    await finish(runtime, run["id"])
    record = (await client.get("/records/contacts/a@example.org", headers=an_account.headers)).json()
    row = f"/imports/{record['importId']}/rows/"
    sent = await client.get(f"{row}{record['importRow']}", headers=an_account.headers)
    cells = [{"column": "_email", "value": "a@example.org"}, {"column": "_name", "value": "Ann\nMary"}]
    assert sent.json() == {"row": 1, "line": 2, "cells": cells}
    second = (await client.get(f"{row}2", headers=an_account.headers)).json()
    assert (second["line"], second["cells"], second["raw"]) == (4, [], "b@example.org,B\\xfcb")
    third = (await client.get(f"{row}3", headers=an_account.headers)).json()
    assert (third["line"], third["cells"], third["raw"]) == (5, [], 'c@example.org,"x')
    assert (await client.get(f"{row}4", headers=an_account.headers)).status_code == 404
    assert (await client.get(f"{row}0", headers=an_account.headers)).status_code == 422


async def test_the_row_of_another_run_is_not_told_as_that_of_the_import(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    """An import that is accepted later and changes nothing leaves its number on the record while an older one is
    open."""
    one, *others = [(await post(client, an_account)).json()["id"] for _ in range(3)]
    for run in (*others, one):
        await finish(runtime, run)
    record = (await client.get("/records/contacts/john@example.org", headers=an_account.headers)).json()
    assert record["importId"] == others[0]
    assert "importRow" not in record


async def test_few_records_are_counted_and_many_are_estimated(
    client: httpx.AsyncClient, an_account: Account, things: list[str], runtime: Runtime
) -> None:
    rows = """INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
        SELECT :id, 'contacts', 'k' || i, '{}', now(), now(), 1, i FROM generate_series(1, 12000) i"""
    async with runtime.database.transaction() as session:
        await session.execute(text(rows), {"id": an_account.id})
    answer = (await client.get("/records", headers=an_account.headers)).json()["results"]
    found = {each.pop("type"): each for each in answer}
    assert found["things"] == {"count": len(things), "precision": "exact"}
    assert found["products"] == {"count": 0, "precision": "exact"}
    assert found["contacts"]["precision"] != "exact"
    assert found["contacts"]["count"] >= 10_000


async def test_a_record_is_deleted_by_any_form_of_its_key_and_its_history_says_so(
    client: httpx.AsyncClient, an_account: Account, a_key: NewAccount, things: list[str], runtime: Runtime
) -> None:
    headers = an_account.headers
    for key in things[:3]:
        where = f"/records/things/{quote(key, safe='')}"
        gone = await client.delete(where, headers=headers)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await client.get(where, headers=headers)).status_code == 404
        assert (await client.delete(where, headers=headers)).status_code == 404
    told = (await client.get(f"/records/things/{quote(things[0], safe='')}/history", headers=headers)).json()["results"]
    assert (told[0]["sentBy"], "runId" in told[0]) == (an_account.key.partition(":")[0], False)
    left = (await client.get("/records/things", headers=headers)).json()["results"]
    assert sorted(each["key"] for each in left) == sorted(things[3:])

    lacking = await a_key(name=an_account.name, scopes=["imports:write", "records:read"])
    assert (await client.delete("/records/things/plain", headers=lacking.headers)).status_code == 403
    nowhere = await client.delete("/records/nothing/plain", headers=headers)
    assert (nowhere.status_code, "no record type" in nowhere.json()["detail"]) == (404, True)
