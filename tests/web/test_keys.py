"""API keys on the wire: every form that clients send, every way to be wrong, and nothing for the others to see."""

import base64
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.auth.caller import authenticate
from app.auth.credentials import PresentedKey, read_credentials
from app.auth.keys import SCOPES, create_key, list_keys, revoke_key
from app.errors import Refused
from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import CONTACTS, PARTS, Account, finish, post
from tests.support.servers import PEPPER


def basic(user_and_password: str) -> str:
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()


FORMS: dict[str, Any] = {
    "as Connectif documents it": lambda key: {"Authorization": f"apiKey {key}"},
    "the scheme in another case": lambda key: {"Authorization": f"APIKEY  {key} "},
    "as a bearer token": lambda key: {"Authorization": f"bearer {key}"},
    "Basic with id and secret": lambda key: {"Authorization": basic(key)},
    "Basic with the key as user name": lambda key: {"Authorization": basic(key + ":")},
    "as two headers": lambda key: {"X-App-Id": key.partition(":")[0], "X-App-Token": key.partition(":")[2]},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_key_may_be_sent(client: httpx.AsyncClient, an_account: Account, form: Any) -> None:
    assert (await client.get("/imports", headers=form(an_account.key))).status_code == 200


WRONG: dict[str, Any] = {
    "none": lambda key: {},
    "the key without a scheme": lambda key: {"Authorization": key},
    "an unknown scheme": lambda key: {"Authorization": f"Digest {key}"},
    "a scheme without a key": lambda key: {"Authorization": "apiKey"},
    "the id alone": lambda key: {"Authorization": f"apiKey {key.partition(':')[0]}"},
    "an empty secret": lambda key: {"Authorization": f"apiKey {key.partition(':')[0]}:"},
    "a wrong secret": lambda key: {"Authorization": f"apiKey {key}x"},
    "the secret of nobody": lambda key: {"Authorization": "apiKey sluice_0123456789abcdef:secret"},
    "an id that is none": lambda key: {"Authorization": "apiKey ' OR 1=1:secret"},
    "the key in another case": lambda key: {"Authorization": f"apiKey {key.upper()}"},
    "what is no base64": lambda key: {"Authorization": "Basic %%%"},
    "what is no UTF-8": lambda key: {"Authorization": b"apiKey sluice_\xff:\xff"},
    "half of two headers": lambda key: {"X-App-Id": key.partition(":")[0]},
}


@pytest.mark.parametrize("form", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("path", ["/imports", "/types"])
async def test_without_a_right_key_the_answer_says_how_to_send_one(
    client: httpx.AsyncClient, an_account: Account, form: Any, path: str
) -> None:
    answer = await client.get(path, headers=form(an_account.key))
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (401, 401, "not_authenticated")
    assert answer.headers["www-authenticate"].startswith("apiKey ")
    assert an_account.key.partition(":")[2] not in answer.text


async def test_a_revoked_key_is_refused_from_the_next_request_on(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as session:
        assert await revoke_key(session, an_account.key.partition(":")[0])
        assert not await revoke_key(session, an_account.key.partition(":")[0])
    assert (await client.get("/imports", headers=an_account.headers)).status_code == 401


NEEDS = {
    ("POST", "/imports"): "imports:write",
    ("GET", "/imports"): "imports:read",
    ("GET", "/imports/x"): "imports:read",
    ("DELETE", "/imports/x"): "imports:delete",
    ("GET", "/imports/x/problems"): "imports:read",
    ("GET", "/imports/x/failed-rows.csv"): "imports:read",
    ("GET", "/records/contacts"): "records:read",
    ("GET", "/records/contacts/x"): "records:read",
    ("PUT", "/records/contacts/x"): "imports:write",
    ("PATCH", "/records/contacts/x"): "imports:write",
    ("DELETE", "/records/contacts/x"): "imports:delete",
    ("GET", "/types"): "types:read",
    ("GET", "/types/contacts"): "types:read",
    ("GET", "/types/contacts/sample.csv"): "types:read",
    ("PUT", "/types/x"): "types:write",
    ("DELETE", "/types/x"): "types:write",
    ("PUT", "/coupon-sets/x"): "imports:write",
    ("GET", "/coupon-sets/x"): "imports:read",
}


@pytest.mark.parametrize(("method", "path"), NEEDS)
async def test_a_key_without_the_scope_is_told_which_one_it_lacks(
    client: httpx.AsyncClient, a_key: NewAccount, method: str, path: str
) -> None:
    needed = NEEDS[method, path]
    others = [scope for scope in SCOPES if scope not in (needed, "admin")]
    lacking, holding = await a_key(scopes=others), await a_key(scopes=[needed])

    refused = await client.request(method, path, headers=lacking.headers)
    passed = await client.request(method, path, headers=holding.headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert needed in refused.json()["detail"]
    assert passed.status_code not in (401, 403)


async def test_the_scope_admin_allows_everything(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    account = await a_key(scopes=["admin"])
    for method, path in NEEDS:
        assert (await client.request(method, path, headers=account.headers)).status_code not in (401, 403)


async def test_of_a_key_only_a_hash_with_a_pepper_is_stored(runtime: Runtime, an_account: Account) -> None:
    key_id, _, secret = an_account.key.partition(":")
    async with runtime.database.read() as session:
        row = (await session.execute(text("SELECT * FROM api_keys WHERE id = :id"), {"id": key_id})).mappings().one()
    right = PresentedKey(key_id, secret)
    assert (await authenticate(runtime.database, right, pepper=PEPPER)).account == an_account.name
    with pytest.raises(Refused):
        await authenticate(runtime.database, right, pepper="another pepper")
    assert secret not in str(dict(row))
    assert len(secret) >= 43
    assert secret not in repr(right)


async def test_a_key_is_listed_without_its_secret_and_an_account_may_have_two(
    runtime: Runtime, a_key: NewAccount
) -> None:
    first = await a_key(scopes=["imports:read"])
    second = await a_key(name=first.name)
    assert first.id == second.id
    async with runtime.database.read() as session:
        listed = await list_keys(session, first.name)
    assert [each.id for each in listed] == [each.key.partition(":")[0] for each in (first, second)]
    assert (listed[0].scopes, listed[0].label, listed[0].revoked_at) == (("imports:read",), "test", None)


async def test_a_scope_that_is_none_is_refused_when_a_key_is_made(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        with pytest.raises(ValueError, match="imports:everything"):
            await create_key(session, account="x", scopes=["imports:everything"], label="", pepper=PEPPER)


def test_the_authorization_header_wins_over_the_pair() -> None:
    headers = {"authorization": "apiKey a:b", "x-app-id": "c", "x-app-token": "d"}
    assert read_credentials(headers) == PresentedKey("a", "b")


async def test_what_belongs_to_another_account_is_not_found(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    owner, other = await a_key(), await a_key()
    run = (await post(client, owner)).json()["id"]
    waiting = (await post(client, owner)).json()["id"]
    await finish(runtime, run)
    body = {"key": "code", "fields": [{"id": "code", "type": "text"}]}
    assert (await client.put("/types/mine", headers=owner.headers, json=body)).status_code == 201
    assert (await client.put("/coupon-sets/mine", headers=owner.headers, json={})).status_code == 201

    paths = [
        ("GET", f"/imports/{run}"),
        ("GET", f"/imports/aa_{run}"),
        ("DELETE", f"/imports/{run}"),
        ("DELETE", f"/imports/{waiting}"),
        ("GET", f"/imports/{run}/problems"),
        ("GET", f"/imports/{run}/failed-rows.csv"),
        ("GET", "/records/contacts/john@example.org"),
        ("GET", "/records/mine"),
        ("GET", "/records/mine/x"),
        ("GET", "/types/mine"),
        ("GET", "/types/mine/sample.csv"),
        ("GET", "/coupon-sets/mine"),
    ]
    for method, path in paths:
        answer = await client.request(method, path, headers=other.headers)
        assert answer.status_code == 404, (method, path)
    assert (await client.get("/imports", headers=other.headers)).json()["results"] == []
    assert (await client.get("/records/contacts", headers=other.headers)).json()["results"] == []
    assert "mine" not in (await client.get("/types", headers=other.headers)).text
    into = PARTS | {"type": "coupons", "couponSetId": "mine"}
    stolen = await client.post("/imports", headers=other.headers, data=into, files={"file": ("c.csv", b"code\nA\n")})
    assert stolen.json()["errors"][0]["path"] == "couponSetId"
    typed = await client.post(
        "/imports", headers=other.headers, data={"type": "mine"}, files={"file": ("c.csv", CONTACTS)}
    )
    assert typed.json()["errors"][0]["path"] == "type"
    assert (await client.get(f"/imports/{run}", headers=owner.headers)).status_code == 200


async def test_two_accounts_may_import_the_same_keys(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    for name in ("Ann", "Bob"):
        account = await a_key()
        run = (await post(client, account, f"_email,_name\nx@example.org,{name}\n".encode())).json()
        await finish(runtime, run["id"])
        record = (await client.get("/records/contacts/x@example.org", headers=account.headers)).json()
        ended = (await client.get(f"/imports/{run['id']}", headers=account.headers)).json()
        assert (record["data"]["_name"], ended["created"]) == (name, 1)
