"""A key or a token that ends while a body arrives: whatever stores the body identifies its sender again."""

import ast
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.auth.caller import authenticate
from app.auth.credentials import PresentedToken
from app.auth.keys import revoke_key
from app.auth.tokens import issue, revoke
from app.runtime import Runtime
from tests.support.bodies import JSON, SERVER, WRITES
from tests.support.http import Account, stored_files
from tests.support.servers import PEPPER

ROOT = Path(__file__).resolve().parents[2]
FOR_KEYS = {"POST /v1/oauth/token": ("application/x-www-form-urlencoded", b"grant_type=client_credentials&scope=api")}
STORED = (
    "SELECT (SELECT count(*) FROM runs WHERE account_id = :id) + (SELECT count(*) FROM records WHERE account_id = :id)"
    " + (SELECT count(*) FROM record_types WHERE account_id = :id)"
    " + (SELECT count(*) FROM coupon_sets WHERE account_id = :id)"
    " + (SELECT count(*) FROM connections WHERE account_id = :id)"
    " + (SELECT count(*) FROM tokens t JOIN api_keys k ON k.id = t.key_id WHERE k.account_id = :id)"
)


async def stored(runtime: Runtime, account: Account) -> int:
    """How many things of the account are stored."""
    async with runtime.database.read() as session:
        return int((await session.execute(text(STORED), {"id": account.id})).scalar_one())


async def send(
    client: httpx.AsyncClient,
    line: str,
    what: tuple[str, bytes],
    credentials: str,
    meanwhile: Callable[[], Awaitable[None]],
) -> httpx.Response:
    """Sends the body in two halves; between them something else happens."""
    method, path = line.split()
    media_type, body = what

    async def halves() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await meanwhile()
        yield body[len(body) // 2 :]

    headers = {"Authorization": credentials, "Content-Type": media_type}
    return await client.request(method, path, headers=headers, content=halves())


async def nothing() -> None:
    pass


@pytest.mark.parametrize("line", WRITES | FOR_KEYS)
async def test_a_body_is_stored_for_a_live_key(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, line: str
) -> None:
    answer = await send(client, line, (WRITES | FOR_KEYS)[line], f"apiKey {an_account.key}", nothing)
    assert answer.is_success, answer.text
    assert await stored(runtime, an_account) == 1


@pytest.mark.parametrize("line", WRITES | FOR_KEYS)
async def test_nothing_is_stored_for_a_key_that_was_revoked_meanwhile(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, line: str
) -> None:
    async def revoke_it() -> None:
        async with runtime.database.transaction() as session:
            assert await revoke_key(session, an_account.key.partition(":")[0])

    before = stored_files(runtime)
    answer = await send(client, line, (WRITES | FOR_KEYS)[line], f"apiKey {an_account.key}", revoke_it)
    assert answer.status_code == 401, answer.text
    assert await stored(runtime, an_account) == 0
    assert stored_files(runtime) == before


@pytest.mark.parametrize("end", ["revoked", "expired", "its key revoked"])
@pytest.mark.parametrize("line", WRITES)
async def test_nothing_is_stored_for_a_token_that_ended_meanwhile(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, line: str, end: str
) -> None:
    key_id = an_account.key.partition(":")[0]
    async with runtime.database.transaction() as session:
        token = (await issue(session, key_id, ["api"], pepper=PEPPER)).value
    account_id = (await authenticate(runtime.database, PresentedToken(token), pepper=PEPPER)).account_id

    async def end_it() -> None:
        async with runtime.database.transaction() as session:
            if end == "revoked":
                assert await revoke(session, account_id, token, pepper=PEPPER)
            elif end == "expired":
                await session.execute(text("UPDATE tokens SET expires_at = now() WHERE key_id = :id"), {"id": key_id})
            else:
                assert await revoke_key(session, key_id)

    answer = await send(client, line, WRITES[line], f"Bearer {token}", end_it)
    assert answer.status_code == 401, answer.text
    assert await stored(runtime, an_account) == (0 if end == "revoked" else 1)  # the token itself


async def test_a_connection_is_not_replaced_for_a_key_that_was_revoked_meanwhile(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    headers = {"Authorization": f"apiKey {an_account.key}", "Content-Type": JSON}
    made = await client.post("/connections", headers=headers, content=SERVER)
    line = f"PUT /connections/{made.json()['id']}"

    async def revoke_it() -> None:
        async with runtime.database.transaction() as session:
            assert await revoke_key(session, an_account.key.partition(":")[0])

    other = SERVER.replace(b"files", b"other")
    assert (await send(client, line, (JSON, other), f"apiKey {an_account.key}", revoke_it)).status_code == 401
    async with runtime.database.read() as session:
        found = await session.execute(
            text("SELECT CAST(c AS text) FROM connections c WHERE account_id = :id"), {"id": an_account.id}
        )
        assert "other" not in found.scalar_one()


def test_surfaces_write_only_as_the_caller() -> None:
    """A transaction of its own would not identify the caller again."""
    opened = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "app/surfaces").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "transaction"
    ]
    assert opened == []
