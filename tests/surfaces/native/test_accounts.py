"""`/admin/accounts` and `/account`: accounts with quotas, their keys, and their deletion, by an operator's key."""

import asyncio
import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from sqlalchemy import text

from app.accounts.account import load_account
from app.accounts.deletion import begin_deletion, erase_accounts
from app.auth.identity import Identity, ensure_live
from app.auth.tokens import token_hash
from app.dashboard.visitor import find_visitor
from app.errors import Refused
from app.main import create_app
from app.quotas.quota import QUOTAS
from app.runs.deletion import prune_runs
from app.runtime import Runtime
from app.settings import Settings
from app.storage.access import accounts, operators
from app.storage.erasing import parts
from app.storage.people import members
from app.surfaces.native.wire.access.accounts import Quotas, QuotasBody
from app.web.caller import get_runtime, identify_caller
from tests.conftest import Finish, NewAccount
from tests.dashboard.people import make_person
from tests.support.http import CONTACTS, Account, make_account, post
from tests.support.servers import PEPPER

ADMIN = "/admin/accounts"
Headers = Mapping[str, str]


@pytest.fixture
def name() -> str:
    return f"shop-{token_hex(6)}"


async def create(client: httpx.AsyncClient, operator: Headers, name: str, **quotas: int) -> dict[str, Any]:
    made = await client.post(ADMIN, headers=operator, json={"name": name, "quotas": quotas})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def key_of(client: httpx.AsyncClient, operator: Headers, name: str, *scopes: str) -> dict[str, str]:
    body = {"label": "nightly", "scopes": list(scopes) or ["imports:write", "imports:read", "records:read"]}
    made = await client.post(f"{ADMIN}/{name}/keys", headers=operator, json=body)
    assert made.status_code == 201, made.text
    return {"Authorization": f"apiKey {made.json()['key']}"}


async def send(client: httpx.AsyncClient, headers: Headers, file: bytes = CONTACTS) -> httpx.Response:
    return await post(client, Account(0, "", headers["Authorization"].removeprefix("apiKey ")), file)


async def test_an_account_is_made_used_changed_and_listed(
    client: httpx.AsyncClient, operator: Headers, name: str
) -> None:
    made = await create(client, operator, name, openImports=2)
    assert (made["quotas"], made["limits"]["openImports"], made["status"]) == ({"openImports": 2}, 2, "active")
    assert made["limits"]["fileBytes"] == 52_428_800
    headers = await key_of(client, operator, name)
    answers = [(await send(client, headers)).status_code for _ in range(3)]
    assert answers == [201, 201, 400]
    own = (await client.get("/account", headers=headers)).json()
    assert (own["name"], own["limits"], own["use"]["openImports"]) == (name, made["limits"], 2)
    assert own["use"]["storedBytes"] == 2 * len(CONTACTS)

    changed = await client.patch(
        f"{ADMIN}/{name}", headers=operator, json={"quotas": {"openImports": None, "fileBytes": 10}}
    )
    assert (changed.status_code, changed.json()["quotas"]) == (200, {"fileBytes": 10})
    refused = await send(client, headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert (await client.get("/limits", headers=headers)).json() == {"maxFileBytes": 10, "maxOpenImports": 10}

    keys = (await client.get(f"{ADMIN}/{name}/keys", headers=operator)).json()["results"]
    assert [("lastUsedAt" in each, "createdBy" in each) for each in keys] == [(True, False)]
    assert (await client.delete(f"{ADMIN}/{name}/keys/{keys[0]['id']}", headers=operator)).status_code == 204
    assert (await client.get("/account", headers=headers)).status_code == 401

    listed: list[str] = []
    path: str | None = f"{ADMIN}?limit=1000"
    while path:
        page = (await client.get(path, headers=operator)).json()
        listed += [each["name"] for each in page["results"]]
        path = page["links"].get("next")
    assert name in listed
    assert listed == sorted(listed)


async def test_only_an_operator_comes_in_and_into_no_account(
    client: httpx.AsyncClient, operator: Headers, a_key: NewAccount, runtime: Runtime
) -> None:
    admin = await a_key(scopes=["admin"])
    wrong = {"Authorization": f"{operator['Authorization']}x"}
    for headers, status in ((admin.headers, 403), (wrong, 401), ({}, 401)):
        for method, path in (("GET", ADMIN), ("DELETE", f"{ADMIN}/{admin.name}?confirm={admin.name}")):
            assert (await client.request(method, path, headers=headers)).status_code == status
    for path in ("/imports", "/records/contacts", "/keys", "/account", "/v1/async-actions", "/v2/jobs/x"):
        assert (await client.get(path, headers=operator)).status_code == 401
    async with runtime.database.transaction() as session:
        await operators.revoke(session, operator["Authorization"].removeprefix("apiKey ").partition(":")[0])
    assert (await client.get(ADMIN, headers=operator)).status_code == 401


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "quotas": {"openImports": 0}}, "quotas.openImports"),
        ({"name": "x", "quotas": {"records": "many"}}, "quotas.records"),
        ({"name": "x", "quotas": {"unknown": 1}}, "quotas.unknown"),
    ],
)
async def test_what_an_account_cannot_be(
    client: httpx.AsyncClient, operator: Headers, body: dict[str, Any], path: str
) -> None:
    refused = await client.post(ADMIN, headers=operator, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path)


async def test_a_name_is_taken_once_and_a_wrong_one_is_not_found(
    client: httpx.AsyncClient, operator: Headers, name: str
) -> None:
    made = await create(client, operator, name)
    again = await client.post(ADMIN, headers=operator, json={"name": name})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert (await client.get(f"{ADMIN}/{made['id']}", headers=operator)).json()["name"] == name
    assert (await client.get(f"{ADMIN}/not-{name}", headers=operator)).status_code == 404


async def test_keys_have_a_quota(client: httpx.AsyncClient, operator: Headers, name: str) -> None:
    await create(client, operator, name, keys=1)
    headers = await key_of(client, operator, name, "admin")
    body = {"label": "one more", "scopes": ["records:read"]}
    refused = await client.post("/keys", headers=headers, json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_reached")


async def test_runs_are_kept_for_the_days_of_their_account(
    client: httpx.AsyncClient, operator: Headers, an_account: Account, runtime: Runtime, finish: Finish, name: str
) -> None:
    await create(client, operator, name, retentionDays=2)
    short = await make_account(runtime, name=name)
    ids = {}
    for account in (short, an_account):
        ids[account.name] = (await post(client, account)).json()["id"]
        await finish(runtime, ids[account.name])
    async with runtime.database.transaction() as session:
        late = text("UPDATE runs SET finished_at = now() - interval '3 days' WHERE id = ANY(:ids)")
        await session.execute(late, {"ids": list(ids.values())})
    await prune_runs(runtime)
    gone = await client.get(f"/imports/{ids[name]}", headers=short.headers)
    assert (gone.status_code, "are kept for 2 days" in gone.json()["detail"]) == (410, True)
    assert (await client.get(f"/imports/{ids[an_account.name]}", headers=an_account.headers)).status_code == 200


def test_every_quota_is_on_the_wire_and_in_the_command_line() -> None:
    from app.cli.managing import account as command

    assert list(Quotas.model_fields) == list(QuotasBody.model_fields) == list(QUOTAS)
    assert list(command.QUOTA_OPTIONS) == list(command.QUOTAS) == list(QUOTAS)
    fields = {each.alias for each in QuotasBody.model_fields.values()}
    assert set(command.QUOTAS.values()) == fields


def calls(dependant: Dependant) -> list[Any]:
    """What FastAPI calls for a route, in its order."""
    return [call for each in dependant.dependencies for call in (*calls(each), each.call)]


def test_every_route_knows_its_caller_before_it_gets_the_runtime() -> None:
    """Or it would work with the settings of the service in place of the quotas of the account."""
    seen = 0
    for route in create_app(Settings(_env_file=None)).routes:
        order = calls(route.dependant)  # type: ignore[attr-defined]
        callers = [order.index(each) for each in (identify_caller, find_visitor) if each in order]
        if callers and get_runtime in order:
            seen += 1
            assert min(callers) < order.index(get_runtime), route
    assert seen > 100


SCHEMA = """
SELECT c.relname AS table_name, CASE a.attname WHEN 'account_id' THEN '' ELSE f.confrelid::regclass::text END AS through
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
WHERE c.relkind IN ('r', 'p') AND (a.attname IS NOT NULL OR f.oid IS NOT NULL)"""
# What is of an account by another table.
THROUGH = {"runs": "run_id", "feeds": "feed_id", "webhooks": "webhook_id", "api_keys": "key_id"}
EVERYTHING = """
INSERT INTO changed_records (account_id, type, key, outcome, changed_at)
VALUES (:id, 'contacts', 'written by itself', 'created', now());
INSERT INTO tokens (hash, key_id, scopes, created_at, expires_at)
    SELECT sha256(CAST(id AS bytea)), id, '{}', now(), now() FROM api_keys WHERE account_id = :id;
INSERT INTO people (id, email, name, created_at) VALUES (:person, :person || '@x.example', 'x', now()),
    (:person || '2', :person || '2@x.example', 'x', now());
INSERT INTO memberships (person_id, account_id, role, created_at) VALUES (:person, :id, 'admin', now()),
    (:person || '2', :id, 'admin', now()), (:person || '2', :other, 'admin', now());
INSERT INTO sessions (hash, id, person_id, account_id, created_at, seen_at, confirmed_at, expires_at)
    VALUES (sha256(CAST(CAST(:person AS text) AS bytea)), :person, :person, :id, now(), now(), now(), now());
INSERT INTO person_links (hash, person_id, account_id, resets, created_at, expires_at)
    VALUES (sha256(CAST(CAST(:person AS text) AS bytea)), :person, :id, false, now(), now());
INSERT INTO connections (id, account_id, name, settings, secret, created_at, updated_at)
    VALUES (:person, :id, 'x', '{}', '', now(), now());
INSERT INTO record_types (account_id, name, declaration, created_at, updated_at) VALUES (:id, 'x', '{}', now(), now());
INSERT INTO mappings (id, account_id, name, type, mapping, created_at, updated_at)
    VALUES (:person, :id, 'x', 'x', '{}', now(), now());
INSERT INTO coupon_sets (account_id, id, name, created_at, updated_at) VALUES (:id, 'x', 'x', now(), now());
INSERT INTO item_syncs (id, account_id, name, connection_id, settings, created_at, updated_at)
    VALUES (:person, :id, 'x', 'x', '{}', now(), now());
INSERT INTO schedules (id, account_id, name, kind, request, cron, timezone, due_at, created_at, updated_at)
    VALUES (:person, :id, 'x', 'import', '{}', '* * * * *', 'UTC', now() + interval '1 day', now(), now());
INSERT INTO feeds (id, account_id, name, connection_id, request, every, afterwards, on_failed, enabled, created_at,
    updated_at, next_at) VALUES (:person, :id, 'x', 'x', '{}', 60, 'keep', 'keep', false, now(), now(), now());
INSERT INTO seen_files (feed_id, key, connection_id, path, state, seen_at)
    VALUES (:person, 'x', 'x', 'x', 'waiting', now());
INSERT INTO webhooks (id, account_id, name, url, events, secret, created_at, updated_at)
    VALUES (:person, :id, 'x', 'x', '{}', '', now(), now());
INSERT INTO webhook_deliveries (id, account_id, webhook_id, event, data, begun_at, due_at, created_at)
    VALUES (:person, :id, :person, 'x', '{}', now(), now() + interval '1 day', now());
INSERT INTO idempotency_keys (account_id, key, claim, claimed_until, expires_at)
    VALUES (:id, 'x', 'x', now(), now() + interval '1 day');
INSERT INTO staged_records (account_id, staged_by, type, key, data, created_at, updated_at, run_seq, run_row, rows)
    SELECT :id, id, 'x', 'x', '{}', now(), now(), 1, 1, '{1}' FROM runs WHERE account_id = :id AND seq = 1;
INSERT INTO staged_keys (account_id, staged_by, type, key)
    SELECT :id, id, 'x', 'x' FROM runs WHERE account_id = :id AND seq = 1;
INSERT INTO named_keys (account_id, staged_by, type, number, first_key, last_key, keys)
    SELECT :id, id, 'x', 1, 'x', 'x', '{x}' FROM runs WHERE account_id = :id AND seq = 1;
INSERT INTO taken_rows (run_id, rows) SELECT id, '' FROM runs WHERE account_id = :id AND seq = 1;
INSERT INTO sync_files (run_id, number, role, path, size, blob, digests, sha256)
    SELECT id, 1, 'items', 'x', 1, :sync_blob, '', '' FROM runs WHERE account_id = :id AND seq = 1;
INSERT INTO drafts (id, account_id, step, choices, blob, created_at, changed_at, expires_at)
    VALUES (:person, :id, 'file', '{}', :draft_blob, now(), now(), now() + interval '1 day');
INSERT INTO pictures (account_id, sha256, width, blob, blob_digests, blob_sha256, bytes, media_type, pixel_width,
    pixel_height, used_at) VALUES (:id, 'x', 0, :picture_blob, '', 'x', 1, 'image/png', 1, 1, now())"""


async def fill(runtime: Runtime, account: Account, other: int) -> None:
    """A row in every table, and a file for everything that may have one; there is an ended import already."""
    blobs = {}
    for what in ("sync_blob", "draft_blob", "picture_blob"):
        writer = runtime.blobs.create()
        writer.write(what.encode())
        blobs[what] = writer.commit()
    given = {"id": account.id, "other": other, "person": f"person-{account.name}", **blobs}
    async with runtime.database.transaction() as session:
        for statement in EVERYTHING.split(";\n"):
            used = {key: value for key, value in given.items() if re.search(rf":{key}\b", statement)}
            await session.execute(text(statement), used)


async def rows_of(runtime: Runtime, account_id: int) -> dict[str, int]:
    """How many rows of the account each table has, by the schema and not by what the product says."""
    async with runtime.database.read() as session:
        named = (await session.execute(text(SCHEMA))).all()
        owned = {table for table, through in named if through == ""}
        counts = {}
        for table, through in sorted(set(named)):
            if table in owned:
                where = "account_id = :id"
            elif through in THROUGH and through in owned:
                where = f"{THROUGH[through]} IN (SELECT id FROM {through} WHERE account_id = :id)"
            else:
                continue
            counts[table] = (
                await session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"), {"id": account_id})
            ).scalar_one()
        return counts


async def test_everything_of_an_account_is_erased_and_its_name_is_free_again(
    client: httpx.AsyncClient, operator: Headers, an_account: Account, runtime: Runtime, finish: Finish, name: str
) -> None:
    shop = await make_account(runtime, name=name)
    ended = (await post(client, shop)).json()["id"]
    await finish(runtime, ended)
    await finish(runtime, (await post(client, shop, CONTACTS.replace(b"10", b"11"))).json()["id"])
    waiting = (await post(client, shop)).json()["id"]
    await finish(runtime, (await post(client, an_account)).json()["id"])
    others = await rows_of(runtime, an_account.id)
    await fill(runtime, shop, an_account.id)
    before = await rows_of(runtime, shop.id)
    assert [table for table, rows in before.items() if not rows] == []
    assert {each.table for each in parts.PARTS} == set(before)
    async with runtime.database.read() as session:
        files = await parts.list_files(session, shop.id, limit=100)
    assert len(files) == 6

    wrong = await client.delete(f"{ADMIN}/{name}?confirm={name}x", headers=operator)
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "confirm")
    deleted = await client.delete(f"{ADMIN}/{name}?confirm={name}", headers=operator)
    assert (deleted.status_code, deleted.json()["status"]) == (202, "deleting")
    assert deleted.json()["deletion"]["remaining"]["records"] == 2
    assert (await client.get("/imports", headers=shop.headers)).status_code == 401
    async with runtime.database.read() as session:
        state = await session.execute(text("SELECT state, attempt FROM runs WHERE id = :id"), {"id": waiting})
        assert state.one() == ("cancelled", 1)
    for method, path in (("DELETE", f"{ADMIN}/{name}?confirm={name}"), ("POST", f"{ADMIN}/{name}/keys")):
        body = {"json": {"label": "x", "scopes": ["admin"]}} if method == "POST" else {}
        refused = await client.request(method, path, headers=operator, **body)
        assert (refused.status_code, refused.json()["code"]) == (409, "being_deleted")

    for begin in (accounts.next_seq, accounts.lock):  # whoever has waited for the account's row
        with pytest.raises(Refused, match="being deleted"):
            async with runtime.database.transaction() as session:
                await begin(session, shop.id)
    with pytest.raises(Refused, match="is free again"):
        await make_account(runtime, name=name)

    await erase_accounts(runtime)
    assert (await client.get(f"{ADMIN}/{name}", headers=operator)).status_code == 404
    assert {table: rows for table, rows in (await rows_of(runtime, shop.id)).items() if rows} == {}
    assert {each for each in files if list(runtime.blobs.root.rglob(each))} == set()
    assert await rows_of(runtime, an_account.id) == others | {"memberships": 1, "audit_log": others["audit_log"] + 1}
    async with runtime.database.read() as session:
        left = await session.execute(text("SELECT id FROM people WHERE id LIKE :id"), {"id": f"person-{name}%"})
        assert list(left.scalars()) == [f"person-{name}2"]  # who belongs to another account, too
    assert (await create(client, operator, name))["use"]["records"] == 0


async def test_an_import_halts_before_the_batch_that_goes_beyond_the_quota_of_records(
    client: httpx.AsyncClient, operator: Headers, runtime: Runtime, finish: Finish, name: str
) -> None:
    await create(client, operator, name, records=3)
    shop = await make_account(runtime, name=name)
    await finish(runtime, (await post(client, shop)).json()["id"])
    more = CONTACTS.replace(b"@example", b"@other")
    over = (await post(client, shop, more)).json()["id"]
    staged = (await post(client, shop, more, parts={"dryRun": "true"})).json()["id"]
    for each in (over, staged):
        await finish(runtime, each)
    assert (await client.post(f"/imports/{staged}/commit", headers=shop.headers)).status_code == 200
    await finish(runtime, staged)
    for each in (over, staged):
        run = (await client.get(f"/runs/{each}", headers=shop.headers)).json()
        assert (run["status"], run["created"]) == ("halted", 0 if each == over else 2)
        assert "more records than its quota allows" in str(run)
    await finish(runtime, (await post(client, shop, CONTACTS.replace(b"10", b"12"))).json()["id"])
    use = (await client.get("/account", headers=shop.headers)).json()["use"]
    assert (use["records"], use["openImports"]) == (2, 2)

    single = [
        await client.put(f"/records/contacts/{each}@single.example", headers=shop.headers, json={"_name": "x"})
        for each in "ab"
    ]
    assert [each.status_code for each in single] == [201, 403]
    assert single[1].json()["code"] == "quota_reached"
    await client.patch(f"{ADMIN}/{name}", headers=operator, json={"quotas": {"records": 5}})
    resumed = await client.post(f"/imports/{over}/resume", headers=shop.headers)
    assert resumed.status_code == 200
    await finish(runtime, over)
    assert (await client.get("/account", headers=shop.headers)).json()["use"]["records"] == 5


async def test_files_beyond_the_quota_of_bytes_are_refused_in_the_words_of_the_surface(
    client: httpx.AsyncClient, operator: Headers, runtime: Runtime, name: str
) -> None:
    await create(client, operator, name, storedBytes=len(CONTACTS))
    shop = await make_account(runtime, name=name)
    assert (await post(client, shop, CONTACTS + b"x@example.org,X,1\n")).status_code == 403
    assert (await post(client, shop)).status_code == 201
    refused = await post(client, shop)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_reached")
    vendor = await client.post("/v1/customers/bulk/async", headers=shop.headers, json=[{"source_id": "a"}])
    assert (vendor.status_code, vendor.json()["key"]) == (403, "quota_reached")


async def has_a_waiter(runtime: Runtime, backend: int) -> None:
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE :backend = ANY(pg_blocking_pids(pid))")
    while True:
        async with runtime.database.read() as session:
            if (await session.execute(asked, {"backend": backend})).scalar_one():
                return


@pytest.mark.parametrize("by", ["key", "session"])
async def test_an_account_in_use_is_deleted_without_a_deadlock(runtime: Runtime, a_key: NewAccount, by: str) -> None:
    """Every writer locks its key or session first, and then the account."""
    account = await a_key(["admin"])
    ada = await make_person(runtime.database, account.name, "admin")
    identity = Identity(account.key.split(":")[0])
    if by == "session":
        hashed = token_hash(ada.cookie, PEPPER)
        identity = Identity(ada.id, session_hash=hashed, account_id=account.id, role="admin")

    async def delete() -> None:
        async with runtime.database.transaction() as session:
            await begin_deletion(session, account.name, account.name)

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20), runtime.database.transaction() as session:
        await ensure_live(session, identity)
        backend = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        tasks.create_task(delete())
        await has_a_waiter(runtime, backend)
        await accounts.lock(session, account.id)
    async with runtime.database.read() as session:
        assert (await load_account(session, account.name)).deleting_at is not None


async def test_a_person_who_is_invited_elsewhere_meanwhile_is_not_deleted(runtime: Runtime, a_key: NewAccount) -> None:
    own, other = await a_key(["admin"]), await a_key(["admin"])
    ada = await make_person(runtime.database, own.name, "viewer")

    async def remove() -> None:
        async with runtime.database.transaction() as session:
            await members.remove_member(session, own.id, ada.id)

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20), runtime.database.transaction() as session:
        await members.add_member(session, person_id=ada.id, account_id=other.id, role="viewer", created_by=None)
        backend = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        tasks.create_task(remove())
        await has_a_waiter(runtime, backend)
    async with runtime.database.read() as session:
        assert [each["id"] for each in await members.members(session, other.id)] == [ada.id]
