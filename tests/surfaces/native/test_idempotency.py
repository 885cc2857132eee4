"""Requests that are repeated with their `Idempotency-Key` start nothing twice, and get the first answer again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from app.main import SITES
from app.runtime import Runtime
from app.storage.idempotency import keys
from app.web.once.header import NAME, parse_key
from tests.conftest import Finish, NewAccount
from tests.support.http import CONTACTS, PARTS, Account, app_on, client_of, stored_files
from tests.surfaces.native.test_item_syncs import made
from workers.housekeeping import prune

OTHER = CONTACTS.replace(b"John", b"Joan")
# What starts no run: declarations, which have names, and secrets, which no answer is to keep.
TAKES_NO_KEY = {
    "connections",
    "mappings",
    "feeds",
    "schedules",
    "item-syncs",
    "people",
    "people/{person_id}/link",
    "webhooks",
    "webhooks/{webhook_id}/test",
    "keys",
    "admin/accounts",
    "admin/accounts/{name}/keys",
}


def head(account: Account, key: str = "one") -> dict[str, str]:
    return {**account.headers, NAME: key}


async def send(
    client: httpx.AsyncClient, account: Account, file: bytes = CONTACTS, *, key: str = "one", **parts: str
) -> httpx.Response:
    """Each time with another boundary between the parts."""
    files = {"file": ("contacts.csv", file, "text/csv")}
    return await client.post("/imports", headers=head(account, key), data={**PARTS, **parts}, files=files)


async def imports(client: httpx.AsyncClient, account: Account) -> list[str]:
    listed = await client.get("/imports", headers=account.headers)
    return [each["id"] for each in listed.json()["results"]]


def is_replay(answer: httpx.Response, first: httpx.Response) -> bool:
    same = (answer.status_code, answer.content) == (first.status_code, first.content)
    kept = ("content-type", "retry-after", "location")
    return same and [answer.headers.get(each) for each in kept] == [first.headers.get(each) for each in kept]


async def test_a_repeated_request_gets_the_first_answer_and_starts_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    first = await send(client, an_account)
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers
    await finish(runtime, first.json()["id"])
    files = stored_files(runtime)

    again = await send(client, an_account)

    assert is_replay(again, first)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await imports(client, an_account) == [first.json()["id"]]
    assert stored_files(runtime) == files


@pytest.mark.parametrize("change", [{"file": OTHER}, {"duplicates": "first"}])
async def test_other_content_under_the_same_key_is_refused(
    client: httpx.AsyncClient, an_account: Account, change: dict[str, Any]
) -> None:
    first = await send(client, an_account)
    answer = await send(client, an_account, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await imports(client, an_account) == [first.json()["id"]]


async def test_a_refused_request_keeps_no_key(client: httpx.AsyncClient, an_account: Account) -> None:
    refused = await send(client, an_account, duplicates="never")
    assert refused.status_code == 422
    assert (await send(client, an_account)).status_code == 201


async def test_the_key_is_looked_up_before_the_queue_and_before_what_has_changed_since(
    runtime: Runtime, an_account: Account
) -> None:
    async with client_of(app_on(runtime, queue_limit=1)) as client:
        first = await send(client, an_account)
        full = await send(client, an_account, key="two")
        assert (full.status_code, full.json()["code"]) == (400, "E0401")
        assert is_replay(await send(client, an_account), first)


async def test_fifty_twins_make_one_import(client: httpx.AsyncClient, an_account: Account) -> None:
    answers = await asyncio.gather(*(send(client, an_account) for _ in range(50)))
    told = Counter(each.status_code for each in answers)
    assert set(told) <= {201, 409}
    ids = {each.json()["id"] for each in answers if each.status_code == 201}
    assert await imports(client, an_account) == list(ids)
    waits = [each for each in answers if each.status_code == 409]
    assert all((each.json()["code"], each.headers["retry-after"]) == ("idempotency_key_in_use", "2") for each in waits)
    assert (await send(client, an_account)).json()["id"] in ids


async def test_a_key_is_of_one_account(client: httpx.AsyncClient, an_account: Account, a_key: NewAccount) -> None:
    other, sibling = await a_key(), await a_key(name=an_account.name)
    first = await send(client, an_account)
    assert (await send(client, other)).json()["id"] != first.json()["id"]
    assert is_replay(await send(client, sibling), first)  # another key of the same account


async def set_claim(runtime: Runtime, account: Account, change: str) -> None:
    async with runtime.database.transaction() as session:
        statement = f"UPDATE idempotency_keys SET {change} WHERE account_id = :id"
        await session.execute(text(statement), {"id": account.id})


async def test_what_a_killed_process_has_claimed_is_free_after_a_while(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as session:
        assert await keys.claim(session, an_account.id, "one", "killed")
    assert (await send(client, an_account)).status_code == 409
    await set_claim(runtime, an_account, "claimed_until = now() - interval '1 second'")
    assert (await send(client, an_account)).status_code == 201


async def test_a_request_that_has_lost_its_key_accepts_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    """As if its process had been frozen for longer than its claim lasts, and another request had come."""
    files = stored_files(runtime)

    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="type"\r\n\r\nstocks\r\n'
        await set_claim(runtime, an_account, "claim = 'another'")
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nsku\r\n1\r\n--x--\r\n'

    declared = await client.put(
        "/types/stocks", headers=an_account.headers, json={"key": "sku", "fields": [{"id": "sku", "type": "text"}]}
    )
    assert declared.status_code in (200, 201), declared.text
    form = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post("/imports", headers={**head(an_account), **form}, content=body())

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")
    assert await imports(client, an_account) == []
    assert stored_files(runtime) == files


async def test_keys_are_forgotten_after_a_day(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    first = await send(client, an_account)
    await set_claim(runtime, an_account, "expires_at = now() + interval '1 second'")
    await prune(runtime, "")
    assert is_replay(await send(client, an_account), first)
    await set_claim(runtime, an_account, "expires_at = now() - interval '1 second'")
    await prune(runtime, "")
    async with runtime.database.read() as session:
        counted = await session.execute(
            text("SELECT count(*) FROM idempotency_keys WHERE account_id = :id"), {"id": an_account.id}
        )
        assert counted.scalar_one() == 0
    assert (await send(client, an_account)).json()["id"] != first.json()["id"]


async def test_every_kind_of_run_is_started_once(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    sync = await made(client, an_account)
    first = (await send(client, an_account, key="import")).json()
    await finish(runtime, first["id"])
    export = (await client.post("/exports", headers=head(an_account), json={"type": "contacts"})).json()
    await finish(runtime, export["id"])
    requests: list[tuple[str, dict[str, Any]]] = [
        (f"/imports/{first['id']}/rerun", {"files": {"file": ("again.csv", CONTACTS, "text/csv")}}),
        ("/exports", {"json": {"type": "contacts", "format": "jsonl"}}),
        (f"/exports/{export['id']}/rerun", {}),
        (f"/exports/{export['id']}/rerun/", {"json": {"name": "Again"}}),
        (f"/item-syncs/{sync['id']}/runs", {"json": {}}),
    ]
    for number, (path, body) in enumerate(requests):
        answers = [await client.post(path, headers=head(an_account, f"k{number}"), **body) for _ in range(2)]
        assert answers[0].status_code == 201, answers[0].text
        assert is_replay(answers[1], answers[0]), path
        assert answers[1].headers["idempotent-replayed"] == "true"


def test_every_route_that_starts_runs_takes_a_key() -> None:
    """Those of vendors answer as the vendors do."""
    own = [surface for surface in SITES.all if surface.name in ("connectif", "native")]
    created = [
        route
        for surface in own
        for route in surface.routes
        if isinstance(route, APIRoute) and route.methods == {"POST"} and route.status_code == 201
    ]
    without = {
        route.path.rstrip("/")
        for route in created
        if NAME not in [each.alias for each in route.dependant.header_params]
    }
    assert without <= {f"/{each}" for each in TAKES_NO_KEY}
    assert len(created) > len(without)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ("8e03978e-40d5", "8e03978e-40d5"),
        (r'"a \"b\" \\"', 'a "b" \\'),
        ('""', None),
        ('"open', None),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
        ("naïve", None),
    ],
)
def test_a_key_may_be_quoted_or_not(sent: str, key: str | None) -> None:
    assert parse_key(sent) == key


async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await send(client, an_account, key="x" * 256)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert await imports(client, an_account) == []
