"""Access tokens: issued for a key, valid where their scopes allow it, expired in time, and never stored or logged."""

import time
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.auth.caller import Caller, authenticate
from app.auth.credentials import PresentedToken
from app.auth.keys import revoke_key
from app.auth.tokens import token_hash
from app.errors import Refused
from app.observe.logs import configure
from app.runtime import Runtime
from app.storage.tables import metadata
from app.surfaces.voucherify.routes.caller import MayImportCustomers, MayReadActions, MayReadCustomers
from app.surfaces.voucherify.wire.oauth import SCOPES
from tests.conftest import NewAccount
from tests.support.http import Account, app_on, client_of
from tests.support.servers import PEPPER
from workers.housekeeping import prune

GRANT = {"grant_type": "client_credentials"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ENDPOINTS = ("/v1/oauth/token", "/v1/oauth/introspect", "/v1/oauth/token/revoke")


def pair(account: Account) -> dict[str, str]:
    key_id, _, secret = account.key.partition(":")
    return {"X-App-Id": key_id, "X-App-Token": secret}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def made(client: httpx.AsyncClient, account: Account, scope: str = "api") -> str:
    answer = await client.post("/v1/oauth/token", headers=pair(account), data=GRANT | {"scope": scope})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def introspected(client: httpx.AsyncClient, account: Account, token: str) -> dict[str, Any]:
    answer = await client.post("/v1/oauth/introspect", headers=pair(account), data={"access_token": token})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body: dict[str, Any] = answer.json()
    return body


async def status(client: httpx.AsyncClient, token: str, path: str = "/imports") -> int:
    return (await client.get(path, headers=bearer(token))).status_code


async def grow_older(runtime: Runtime, token: str, seconds: int) -> None:
    async with runtime.database.transaction() as session:
        changed = await session.execute(
            text("UPDATE tokens SET expires_at = expires_at - make_interval(secs => :seconds) WHERE hash = :hash"),
            {"seconds": seconds, "hash": token_hash(token, PEPPER)},
        )
    assert changed.rowcount == 1


async def test_a_token_is_issued_used_introspected_and_revoked(client: httpx.AsyncClient, an_account: Account) -> None:
    before = int(time.time())
    answer = await client.post(
        "/v1/oauth/token", headers=pair(an_account), data=GRANT | {"scope": "customers api customers"}
    )
    after = int(time.time())

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    token, expires_at = told["access_token"], told["expires_at"]
    key_id = an_account.key.partition(":")[0]
    assert told == {
        "access_token": token,
        "client_id": key_id,
        "expires_at": expires_at,
        "expires_in": 900,
        "scope": "customers api",
        "token_type": "Bearer",
    }
    assert before + 900 <= expires_at <= after + 900
    assert token.startswith("sluice_at_")
    assert len(token) == len("sluice_at_") + 43

    assert (await client.get("/imports", headers=bearer(token))).json() == {"links": {}, "results": []}
    looked = await introspected(client, an_account, token)
    assert 890 <= looked["expires_in"] <= 900
    assert looked == told | {"expires_in": looked["expires_in"], "active": True}

    revoked = await client.post("/v1/oauth/token/revoke", headers=pair(an_account), data={"access_token": token})
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert await status(client, token) == 401
    assert await introspected(client, an_account, token) == {"active": False}


async def test_an_import_sent_with_a_token_belongs_to_its_account(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    token = await made(client, an_account)
    parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    file = {"file": ("c.csv", b"_email\na@example.org\n")}
    accepted = await client.post("/imports", headers=bearer(token), data=parts, files=file)
    assert accepted.status_code == 201
    listed = await client.get("/imports", headers=an_account.headers)
    assert [each["id"] for each in listed.json()["results"]] == [accepted.json()["id"]]


async def test_no_two_tokens_are_alike_and_each_is_revoked_alone(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    first, second = await made(client, an_account), await made(client, an_account)
    assert first != second
    await client.post("/v1/oauth/token/revoke", headers=pair(an_account), data={"access_token": first})
    assert (await status(client, first), await status(client, second)) == (401, 200)


async def test_a_token_expires(client: httpx.AsyncClient, runtime: Runtime, an_account: Account) -> None:
    token = await made(client, an_account)
    await grow_older(runtime, token, 345)
    assert await status(client, token) == 200
    assert 545 <= (await introspected(client, an_account, token))["expires_in"] <= 555
    await grow_older(runtime, token, 556)
    assert await status(client, token) == 401
    assert await introspected(client, an_account, token) == {"active": False}


async def test_housekeeping_deletes_expired_tokens_and_no_others(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    dead, live = await made(client, an_account), await made(client, an_account)
    await grow_older(runtime, dead, 901)
    await prune(runtime, "")
    async with runtime.database.read() as session:
        found = await session.execute(
            text("SELECT hash FROM tokens WHERE key_id = :key"), {"key": an_account.key.partition(":")[0]}
        )
    assert found.scalars().all() == [token_hash(live, PEPPER)]
    assert await status(client, live) == 200


async def test_the_tokens_of_a_revoked_key_are_refused(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    first = await a_key()
    second = await a_key(name=first.name)
    token, other = await made(client, first), await made(client, second)
    async with runtime.database.transaction() as session:
        assert await revoke_key(session, first.key.partition(":")[0])
    assert (await status(client, token), await status(client, other)) == (401, 200)
    assert await introspected(client, second, token) == {"active": False}


DEAD = {
    "one that never was": "sluice_at_" + "A" * 43,
    "one too short": "sluice_at_A",
    "a word": "nonsense",
    "with a blank": "sluice_at_A B",
    "a very long one": "sluice_at_" + "A" * 10_000,
}


@pytest.mark.parametrize("token", DEAD.values(), ids=DEAD)
async def test_an_unknown_token_is_refused(client: httpx.AsyncClient, an_account: Account, token: str) -> None:
    answer = await client.get("/imports", headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert token not in answer.text
    assert answer.headers["www-authenticate"].endswith('Bearer realm="sluice"')
    assert await introspected(client, an_account, token) == {"active": False}
    revoked = await client.post("/v1/oauth/token/revoke", headers=pair(an_account), data={"access_token": token})
    assert revoked.status_code == 404


async def test_with_another_pepper_all_tokens_are_unknown(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    token = await made(client, an_account)
    assert (await authenticate(runtime.database, PresentedToken(token), pepper=PEPPER)).account == an_account.name
    with pytest.raises(Refused):
        await authenticate(runtime.database, PresentedToken(token), pepper="another pepper")


async def test_another_accounts_token_counts_as_inactive(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    owner, other = await a_key(), await a_key()
    token = await made(client, owner)
    assert await introspected(client, other, token) == {"active": False}
    revoked = await client.post("/v1/oauth/token/revoke", headers=pair(other), data={"access_token": token})
    assert (revoked.status_code, await status(client, token)) == (404, 200)


async def test_any_key_of_the_account_may_introspect_and_revoke_its_tokens(
    client: httpx.AsyncClient, a_key: NewAccount
) -> None:
    first = await a_key()
    second = await a_key(scopes=[], name=first.name)
    token = await made(client, first)
    told = await introspected(client, second, token)
    assert (told["active"], told["client_id"]) == (True, first.key.partition(":")[0])
    await client.post("/v1/oauth/token/revoke", headers=pair(second), data={"access_token": token})
    assert await status(client, token) == 401


# Surfaces without areas, and the scopes that their routes require.
ELSEWHERE = ("/imports", "/types", "/records/contacts")


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_on_other_surfaces_a_token_needs_the_scope_api(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    narrow = await made(client, an_account, " ".join(name for name in SCOPES if name != "api"))
    refused = await client.get(path, headers=bearer(narrow))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert refused.json()["detail"] == "The access token does not have the scope `api`"
    assert await status(client, await made(client, an_account, "api"), path) == 200
    assert (await client.get(path, headers=pair(an_account))).status_code == 200


async def probed(runtime: Runtime, path: str, headers: dict[str, str]) -> httpx.Response:
    """Calls a route that only checks what Voucherify's routes check."""
    app = app_on(runtime)

    @app.post("/v1/probe/import")
    async def may_import(caller: MayImportCustomers) -> str:
        return shown(caller)

    @app.post("/v1/probe/customers")
    async def may_read(caller: MayReadCustomers) -> str:
        return shown(caller)

    @app.post("/v1/probe/async-actions")
    async def may_poll(caller: MayReadActions) -> str:
        return shown(caller)

    async with client_of(app) as client:
        return await client.post(f"/v1/probe/{path}", headers=headers)


def shown(caller: Caller) -> str:
    return caller.account


@pytest.mark.parametrize(
    ("path", "scope", "key_scope"),
    [
        ("import", "customers", "imports:write"),
        ("customers", "customers", "records:read"),
        ("async-actions", "async-actions", "imports:read"),
    ],
)
async def test_a_token_passes_where_its_scope_and_its_keys_scope_do(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount, path: str, scope: str, key_scope: str
) -> None:
    account = await a_key(scopes=[key_scope])
    for enough in (scope, "api", f"vouchers {scope}"):
        passed = await probed(runtime, path, bearer(await made(client, account, enough)))
        assert (passed.status_code, passed.json()) == (200, account.name)
    assert (await probed(runtime, path, pair(account))).status_code == 200

    others = " ".join(name for name in SCOPES if name not in (scope, "api"))
    refused = await probed(runtime, path, bearer(await made(client, account, others)))
    assert (refused.status_code, refused.json()) == (
        403,
        {
            "code": 403,
            "key": "missing_required_permission",
            "message": "Missing permission",
            "details": f"The access token does not have the scope `{scope}`",
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )

    powerless = await a_key(scopes=["types:read"])
    refused = await probed(runtime, path, bearer(await made(client, powerless, "api")))
    assert (refused.status_code, refused.json()["details"]) == (
        403,
        f"The API key does not have the scope `{key_scope}`",
    )


async def test_a_token_can_do_no_more_than_its_key(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    account = await a_key(scopes=["records:read"])
    token = await made(client, account)
    assert [await status(client, token, path) for path in ELSEWHERE] == [403, 403, 200]
    refused = await client.get("/imports", headers=bearer(token))
    assert refused.json()["detail"] == "The API key does not have the scope `imports:read`"


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_token_can_neither_issue_nor_introspect_nor_revoke_tokens(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    token = await made(client, an_account)
    refused = await client.post(path, headers=bearer(token), data=GRANT | {"access_token": token})
    assert (refused.status_code, refused.json()) == (
        403,
        {
            "code": 403,
            "key": "missing_required_permission",
            "message": "Missing permission",
            "details": "An access token cannot do this. Send the key in `X-App-Id` and `X-App-Token`",
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )
    assert await status(client, token) == 200


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_without_a_valid_key_the_body_is_not_read(client: httpx.AsyncClient, path: str) -> None:
    refused = await client.post(path, headers={"content-type": "text/plain"}, content=b"x" * 100_000)
    assert (refused.status_code, refused.json()) == (
        401,
        {
            "code": 401,
            "key": "unauthorized",
            "message": "Unauthorized",
            "details": "The request has no API key. Send one in the header `Authorization: apiKey <id>:<secret>`, or "
            "in `X-App-Id` and `X-App-Token`",
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )


async def test_an_expired_token_is_refused_in_the_vendors_shape(client: httpx.AsyncClient) -> None:
    refused = await client.post("/v1/oauth/token", headers=bearer("sluice_at_x"), data=GRANT)
    assert (refused.status_code, refused.json()) == (
        401,
        {
            "code": 401,
            "key": "unauthorized",
            "message": "Unauthorized",
            "details": "The access token is unknown, expired or revoked, or its key is revoked",
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )


SCOPE_DETAILS = f"Separate scopes by spaces. The scopes are: {', '.join(SCOPES)}"
WRONG: dict[str, tuple[str, bytes, tuple[str, str, str]]] = {
    "no grant type": (
        ENDPOINTS[0],
        b"scope=api",
        ("invalid_grant_type", "Invalid grant_type", "Send `grant_type=client_credentials`"),
    ),
    "another grant type": (
        ENDPOINTS[0],
        b"grant_type=password&scope=api",
        ("invalid_grant_type", "Invalid grant_type", "Send `grant_type=client_credentials`"),
    ),
    "scopes separated by commas": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=vouchers,campaigns",
        ("invalid_scope", "Invalid scope: vouchers,campaigns", SCOPE_DETAILS),
    ),
    "some unknown scopes": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=api+none+customers+API",
        ("invalid_scope", "Invalid scope: none API", SCOPE_DETAILS),
    ),
    "a scope of the key's own": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=admin",
        ("invalid_scope", "Invalid scope: admin", SCOPE_DETAILS),
    ),
    "a very long scope": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=" + b"x" * 60_000,
        ("invalid_scope", f"Invalid scope: {'x' * 100}…", SCOPE_DETAILS),
    ),
    "no token to look at": (
        ENDPOINTS[1],
        b"",
        ("missing_parameters", "Missing parameters", "Send the field `access_token`"),
    ),
    "an empty token to look at": (
        ENDPOINTS[1],
        b"access_token=",
        ("missing_parameters", "Missing parameters", "Send the field `access_token`"),
    ),
    "no token to take back": (
        ENDPOINTS[2],
        b"token=x",
        ("missing_parameters", "Missing parameters", "Send the field `access_token`"),
    ),
    "a field twice": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=customers&scope=api",
        ("invalid_payload", "Invalid payload", "The form contains a field more than once"),
    ),
    "what is no UTF-8": (
        ENDPOINTS[0],
        b"grant_type=client_credentials&scope=%ff",
        (
            "invalid_payload",
            "Invalid payload",
            "The body is not a UTF-8 form (application/x-www-form-urlencoded) of at most 50 fields",
        ),
    ),
    "bytes that are no UTF-8": (
        ENDPOINTS[1],
        b"access_token=\xff",
        (
            "invalid_payload",
            "Invalid payload",
            "The body is not a UTF-8 form (application/x-www-form-urlencoded) of at most 50 fields",
        ),
    ),
    "too many fields": (
        ENDPOINTS[1],
        b"&".join(b"f%d=x" % number for number in range(51)),
        (
            "invalid_payload",
            "Invalid payload",
            "The body is not a UTF-8 form (application/x-www-form-urlencoded) of at most 50 fields",
        ),
    ),
}


@pytest.mark.parametrize(("path", "body", "told"), WRONG.values(), ids=WRONG)
async def test_a_wrong_form_is_refused_with_the_vendors_key(
    client: httpx.AsyncClient, an_account: Account, path: str, body: bytes, told: tuple[str, str, str]
) -> None:
    key, message, details = told
    refused = await client.post(path, headers=pair(an_account) | FORM, content=body)
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "code": 400,
            "key": key,
            "message": message,
            "details": details,
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )


@pytest.mark.parametrize("scope", [{}, {"scope": ""}, {"scope": "  "}])
async def test_a_token_without_a_scope_allows_everything(
    client: httpx.AsyncClient, an_account: Account, scope: dict[str, str]
) -> None:
    answer = await client.post("/v1/oauth/token", headers=pair(an_account), data=GRANT | scope)
    assert (answer.status_code, answer.json()["scope"]) == (200, "api")


@pytest.mark.parametrize("kind", [None, "application/json", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("path", ENDPOINTS)
async def test_another_media_type_than_a_form_is_refused(
    client: httpx.AsyncClient, an_account: Account, path: str, kind: str | None
) -> None:
    headers = pair(an_account) | ({"content-type": kind} if kind else {})
    refused = await client.post(path, headers=headers, content=b"grant_type=client_credentials")
    assert (refused.status_code, refused.json()) == (
        415,
        {
            "code": 415,
            "key": "unsupported_media_type",
            "message": "Unsupported Media Type",
            "details": "Send the fields as application/x-www-form-urlencoded",
            "request_id": f"v-{refused.headers['x-request-id']}",
        },
    )


async def test_a_form_may_have_64_kib_and_not_a_byte_more(client: httpx.AsyncClient, an_account: Account) -> None:
    headers = pair(an_account) | {"content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}
    body = b"grant_type=client_credentials&padding=".ljust(65_536, b"x")
    assert (await client.post("/v1/oauth/token", headers=headers, content=body)).status_code == 200
    refused = await client.post("/v1/oauth/token", headers=headers, content=body + b"x")
    assert (refused.status_code, refused.json()) == (
        413,
        {
            "statusCode": 413,
            "error": "Request Entity Too Large",
            "message": "The body is larger than 65,536 bytes",
        },
    )


async def test_the_key_may_come_as_basic_and_paths_may_end_with_a_slash(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    key_id, _, secret = an_account.key.partition(":")
    answer = await client.post("/v1/oauth/token/", auth=(key_id, secret), data=GRANT)
    token = {"access_token": answer.json()["access_token"]}
    looked = await client.post("/v1/oauth/introspect/", auth=(key_id, secret), data=token)
    assert looked.json()["active"] is True
    revoked = await client.post("/v1/oauth/token/revoke/", auth=(key_id, secret), data=token)
    assert (revoked.status_code, await status(client, token["access_token"])) == (204, 401)


async def test_a_token_is_neither_logged_nor_stored(
    runtime: Runtime, an_account: Account, logged: pytest.CaptureFixture[str]
) -> None:
    app = app_on(runtime)
    configure("debug")
    async with client_of(app) as client:
        token = await made(client, an_account, "customers")
        await status(client, token)
        await introspected(client, an_account, token)
        await client.get(f"/v1/{token[10:]}", headers=bearer(token))
        whole = await dump(runtime)
        await client.post("/v1/oauth/token/revoke", headers=pair(an_account), data={"access_token": token})
    told = logged.readouterr().err
    assert "request_denied" in told
    assert "request_served" in told
    assert token_hash(token, PEPPER).hex() in whole
    for secret in (token, token[10:], token.encode().hex(), token[10:].encode().hex()):
        assert secret not in told
        assert secret not in whole


async def dump(runtime: Runtime) -> str:
    """All rows of all tables, as PostgreSQL writes them; bytes in hex."""
    async with runtime.database.read() as session:
        tables = [await session.execute(text(f'SELECT CAST(t AS text) FROM "{table}" t')) for table in metadata.tables]
        return "\n".join(row for table in tables for row in table.scalars())
