"""`/keys` and `/people`: what an admin of an account may do, and what nobody may."""

from typing import Any

import httpx
import pytest

from app.auth.keys import SCOPES
from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import Account, make_account

READER = {"label": "a report", "scopes": ["records:read"]}


@pytest.fixture
async def admin(a_key: NewAccount) -> Account:
    return await a_key(scopes=["admin"])


async def mail_of(account: Account, who: str) -> str:
    """Addresses are unique among all accounts."""
    return f"{who}@{account.name}.example"


async def test_a_key_is_made_shown_once_used_and_revoked(client: httpx.AsyncClient, admin: Account) -> None:
    made = await client.post("/keys", headers=admin.headers, json=READER | {"expiresInDays": 30})
    assert made.status_code == 201
    key_id, _, secret = made.json()["key"].partition(":")
    shown = (await client.get(f"/keys/{key_id}", headers=admin.headers)).json()
    assert shown == {name: value for name, value in made.json().items() if name != "key"}
    assert (shown["label"], shown["scopes"], shown["createdBy"]) == (
        "a report",
        ["records:read"],
        admin.key.split(":")[0],
    )
    assert shown["expiresAt"] > shown["createdAt"]
    assert "lastUsedAt" not in shown

    own = {"Authorization": f"apiKey {made.json()['key']}"}
    assert (await client.get("/records/contacts", headers=own)).status_code == 200
    listed = await client.get("/keys", headers=admin.headers)
    assert [("lastUsedAt" in each) for each in listed.json()["results"]] == [True, True]
    assert secret not in listed.text

    assert (await client.delete(f"/keys/{key_id}", headers=admin.headers)).status_code == 204
    assert (await client.get("/records/contacts", headers=own)).status_code == 401
    assert (await client.delete(f"/keys/{key_id}", headers=admin.headers)).status_code == 404
    assert len((await client.get("/keys", headers=admin.headers)).json()["results"]) == 1


async def test_a_key_ends_by_itself(client: httpx.AsyncClient, admin: Account, runtime: Runtime) -> None:
    made = (await client.post("/keys", headers=admin.headers, json=READER | {"expiresInDays": 1})).json()
    headers = {"Authorization": f"apiKey {made['key']}"}
    assert (await client.get("/records/contacts", headers=headers)).status_code == 200
    async with runtime.database.transaction() as session:
        await session.exec_driver_sql(f"UPDATE api_keys SET expires_at = now() WHERE id = '{made['id']}'")
    refused = await client.get("/records/contacts", headers=headers)
    assert (refused.status_code, "The API key has expired" in refused.json()["detail"]) == (401, True)
    vendor = await client.get("/v1/async-actions", headers=headers)
    assert (vendor.status_code, "has expired" in vendor.text) == (401, True)
    wrong = await client.get("/records/contacts", headers={"Authorization": f"apiKey {made['key']}x"})
    assert (wrong.status_code, "has expired" in wrong.text) == (401, False)


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["label", "scopes"]),
        ({"label": " ", "scopes": []}, ["scopes"]),
        ({"label": "a\nb", "scopes": ["records:reed"]}, ["label", "scopes"]),
        ({"label": "x", "scopes": ["records:read"], "expiresInDays": 0}, ["expiresInDays"]),
        ({"label": "x\0", "scopes": ["records:read"]}, ["label"]),
        ({"label": "x", "scopes": ["records:read"], "secret": "mine"}, ["secret"]),
    ],
)
async def test_a_key_is_asked_for_rightly(
    client: httpx.AsyncClient, admin: Account, body: dict[str, Any], paths: list[str]
) -> None:
    answer = await client.post("/keys", headers=admin.headers, json=body)
    assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, paths)


PATHS = [
    ("GET", "/keys"), ("POST", "/keys"), ("GET", "/keys/x"), ("DELETE", "/keys/x"), ("GET", "/people"),
    ("POST", "/people"), ("GET", "/people/x"), ("PUT", "/people/x"), ("DELETE", "/people/x"),
    ("POST", "/people/x/link"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_admins_may(client: httpx.AsyncClient, a_key: NewAccount, method: str, path: str) -> None:
    others = await a_key(scopes=[scope for scope in SCOPES if scope != "admin"])
    refused = await client.request(method, path, headers=others.headers)
    assert (refused.status_code, "`admin`" in refused.json()["detail"]) == (403, True)
    assert (await client.request(method, path)).status_code == 401


async def test_another_account_has_no_such_key_and_no_such_person(
    client: httpx.AsyncClient, admin: Account, a_key: NewAccount
) -> None:
    other = await a_key(scopes=["admin"])
    key = (await client.post("/keys", headers=admin.headers, json=READER)).json()["id"]
    invited = {"email": await mail_of(admin, "ana"), "role": "viewer"}
    person = (await client.post("/people", headers=admin.headers, json=invited)).json()["id"]
    for method, path in PATHS:
        if "x" in path:
            where = path.replace("x", key if path.startswith("/keys") else person)
            answer = await client.request(method, where, headers=other.headers, json={"role": "admin"})
            assert answer.status_code == 404, (method, where)
    for path in ("/keys", "/people"):
        seen = (await client.get(path, headers=other.headers)).text
        assert key not in seen
        assert person not in seen


async def test_people_are_invited_changed_and_removed(client: httpx.AsyncClient, admin: Account) -> None:
    mail = await mail_of(admin, "Ana")
    made = await client.post("/people", headers=admin.headers, json={"email": mail, "role": "admin"})
    assert made.status_code == 201
    assert made.json()["link"].startswith("http://sluice.test/app/welcome/")
    where = f"/people/{made.json()['id']}"
    shown = (await client.get(where, headers=admin.headers)).json()
    assert (shown["email"], shown["name"], shown["role"]) == (mail.lower(), "Ana", "admin")
    assert {"joinedAt", "signedInAt", "link"} & shown.keys() == set()

    again = await client.post("/people", headers=admin.headers, json={"email": mail.upper(), "role": "viewer"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert (await client.put(where, headers=admin.headers, json={"role": "viewer"})).json()["role"] == "viewer"
    assert (await client.put(where, headers=admin.headers, json={"role": "boss"})).status_code == 422
    link = await client.post(f"{where}/link", headers=admin.headers)
    assert (link.status_code, link.json()["link"] != made.json()["link"]) == (201, True)
    assert (await client.delete(where, headers=admin.headers)).status_code == 204
    assert (await client.get("/people", headers=admin.headers)).json()["results"] == []


async def test_the_last_admin_stays_while_others_are_there(
    client: httpx.AsyncClient, admin: Account, runtime: Runtime
) -> None:
    ids = {}
    for who in ("admin", "viewer"):
        body = {"email": await mail_of(admin, who), "role": who}
        ids[who] = (await client.post("/people", headers=admin.headers, json=body)).json()["id"]
    async with runtime.database.transaction() as session:
        await session.exec_driver_sql(f"UPDATE memberships SET joined_at = now() WHERE account_id = {admin.id}")
    for refused in (
        await client.delete(f"/people/{ids['admin']}", headers=admin.headers),
        await client.put(f"/people/{ids['admin']}", headers=admin.headers, json={"role": "operator"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    for who in ("viewer", "admin"):
        assert (await client.delete(f"/people/{ids[who]}", headers=admin.headers)).status_code == 204


@pytest.mark.parametrize(
    "email", ["", "ana", "ana@", "a b@shop.example", "ana@shop.example\nb", f"{'x' * 300}@a.example"]
)
async def test_an_address_that_is_none_is_refused(client: httpx.AsyncClient, admin: Account, email: str) -> None:
    answer = await client.post("/people", headers=admin.headers, json={"email": email, "role": "viewer"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "email")


async def test_a_use_is_written_once_a_minute(client: httpx.AsyncClient, runtime: Runtime) -> None:
    account = await make_account(runtime)
    key_id = account.key.partition(":")[0]

    async def used(seconds: int) -> str:
        async with runtime.database.transaction() as session:
            await session.exec_driver_sql(
                f"UPDATE api_keys SET last_used_at = now() - interval '{seconds} seconds' WHERE id = '{key_id}'"
            )
        assert (await client.get("/imports", headers=account.headers)).status_code == 200
        async with runtime.database.read() as session:
            found = await session.exec_driver_sql(
                f"SELECT now() - last_used_at < interval '5 seconds' FROM api_keys WHERE id = '{key_id}'"
            )
            return str(found.scalar_one())

    assert (await used(59), await used(61)) == ("False", "True")
