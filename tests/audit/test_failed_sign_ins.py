"""Who fails to sign in to the dashboard is in the audit log, within bounds, and without anybody's password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import randbelow, token_hex
from typing import Final

import httpx
import pytest
from redis.asyncio import ConnectionPool
from sqlalchemy import text

from app.people import failed_sign_in
from app.people.failed_sign_in import OF_PERSON, note_failed_sign_in
from app.runtime import Runtime
from app.storage.access.accounts import account_named
from app.storage.people import members
from app.throttle import RateLimit, RequestCounter
from tests.audit.conftest import Deeds
from tests.conftest import NewAccount
from tests.dashboard.people import OWN, PASSWORD, make_person
from tests.support import http

WRONG: Final = "s3cret-of-this-test"
ACTION: Final = "person.sign_in_failed"


def some_address() -> str:
    """An address that no other test comes from."""
    return f"2001:db8:{randbelow(65_536):x}:{randbelow(65_536):x}::1"


@asynccontextmanager
async def browser(runtime: Runtime, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=http.app_on(runtime), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", headers=OWN) as client:
        yield client


async def fail(runtime: Runtime, email: str, password: str = WRONG, *, address: str = "") -> httpx.Response:
    async with browser(runtime, address or some_address()) as client:
        answer = await client.post("/app/sign-in", data={"email": email, "password": password})
    assert answer.status_code == 401, answer.text
    return answer


async def newest(runtime: Runtime) -> int:
    async with runtime.database.read() as session:
        return int((await session.execute(text("SELECT coalesce(max(id), 0) FROM audit_log"))).scalar_one())


async def test_it_is_noted_in_each_account_of_the_person(
    runtime: Runtime, client: httpx.AsyncClient, a_key: NewAccount, deeds: Deeds
) -> None:
    account, invites = await a_key(["audit:read"]), await a_key(["audit:read"])
    ada = await make_person(runtime.database, account.name, "viewer")
    second = f"second-{token_hex(4)}"
    async with runtime.database.transaction() as session:
        second_id = await account_named(session, second)
        for account_id in (second_id, invites.id):
            await members.add_member(session, person_id=ada.id, account_id=account_id, role="viewer", created_by=None)
        await members.join(session, ada.id, second_id)
    seen, address = await newest(runtime), some_address()
    answer = await fail(runtime, f" {ada.email.upper()} ", address=address)
    (entry,) = (await client.get("/audit", headers=account.headers, params={"action": ACTION})).json()["results"]
    assert entry | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "action": ACTION,
        "summary": f"Somebody failed to sign in to the dashboard as {ada.email}",
        "actor": {"kind": "person"},
        "what": {"kind": "person", "id": ada.id, "name": ada.email},
        "surface": "dashboard",
        "address": address,
        "requestId": answer.headers["X-Request-Id"],
    }
    assert [row["action"] for row in await deeds(second_id, seen)] == [ACTION]
    assert await deeds(invites.id, seen) == [], "who has only invited somebody learns nothing of them"
    assert [row for row in await deeds(None, seen) if row["address"] == address] == []


@pytest.mark.parametrize(
    ("typed", "noted"),
    [
        ("Nobody-{}@shop.example", "Nobody-{}@shop.example"),
        ("x" * 60 + "{}@" + "shop." * 20 + "example", ("x" * 60 + "{}@" + "shop." * 20 + "example")[:100] + "…"),
        ("a p@ssword {}", None),
        ("", None),
        ("x@" + "y" * 1_000 + ".example", None),
    ],
    ids=["address", "long", "password", "nothing", "too long"],
)
async def test_an_address_that_nobody_has_is_for_the_operator_and_anything_else_is_not_kept(
    runtime: Runtime, deeds: Deeds, typed: str, noted: str | None
) -> None:
    """People in a hurry type the password into the wrong field."""
    some, seen, address = token_hex(2), await newest(runtime), some_address()
    await fail(runtime, typed.replace("{}", some), address=address)
    (row,) = [row for row in await deeds(None, seen) if row["address"] == address]
    expected = noted and noted.replace("{}", some)
    assert (row["action"], row["what_id"], row["actor_id"]) == (ACTION, None, None)
    assert row["what_name"] == (expected and (expected if len(expected) < 101 else f"{expected[:100]}…"))
    assert WRONG not in str(row)


async def test_the_log_cannot_be_filled_with_them(
    runtime: Runtime, a_key: NewAccount, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, seen = await a_key(["audit:read"]), await newest(runtime)
    ada = await make_person(runtime.database, account.name, "viewer")
    seen = await newest(runtime)
    for _ in range(OF_PERSON.requests * 2):
        await note_failed_sign_in(runtime, ada.email, address=some_address())
    noted = len(await deeds(account.id, seen))
    assert OF_PERSON.requests <= noted < OF_PERSON.requests * 2  # an hour may begin meanwhile

    monkeypatch.setattr(failed_sign_in, "OF_ADDRESS", RateLimit(3, 86_400))
    one_address = some_address()
    for number in range(7):
        await note_failed_sign_in(runtime, f"b{number}-{token_hex(4)}@shop.example", address=one_address)
    noted_for_nobody = len(await deeds(None, seen))
    assert 3 <= noted_for_nobody < 7
    monkeypatch.setattr(failed_sign_in, "OF_STRANGERS", RateLimit(2, 86_400))
    for number in range(7):
        await note_failed_sign_in(runtime, f"c{number}-{token_hex(4)}@shop.example", address=some_address())
    assert len(await deeds(None, seen)) - noted_for_nobody < 5
    bob = await make_person(runtime.database, account.name, "viewer")
    seen = await newest(runtime)
    await note_failed_sign_in(runtime, bob.email, address=one_address)
    assert len(await deeds(account.id, seen)) == 1, "strangers leave room for those whom the log is about"


async def test_what_is_refused_for_its_number_and_what_succeeds_is_no_failed_sign_in(
    runtime: Runtime, a_key: NewAccount, deeds: Deeds
) -> None:
    account = await a_key(["audit:read"])
    ada = await make_person(runtime.database, account.name, "viewer")
    seen = await newest(runtime)
    async with browser(runtime, some_address()) as client:
        tries = [
            (await client.post("/app/sign-in", data={"email": ada.email, "password": password})).status_code
            for password in [PASSWORD, *[WRONG] * 11]
        ]
    assert tries.count(429) >= 1
    rows = [row["action"] for row in await deeds(account.id, seen)]
    assert rows == ["session.started", *[ACTION] * tries.count(401)]


async def test_without_redis_nothing_is_noted_and_nothing_breaks(
    runtime: Runtime, a_key: NewAccount, deeds: Deeds
) -> None:
    account = await a_key(["audit:read"])
    ada = await make_person(runtime.database, account.name, "viewer")
    nowhere = RequestCounter(ConnectionPool.from_url("redis://127.0.0.1:1"))
    seen = await newest(runtime)
    without = replace(runtime, throttle=replace(runtime.throttle, counters=nowhere))
    await note_failed_sign_in(without, ada.email, address=some_address())
    assert await deeds(account.id, seen) == []
