"""A database with data goes to the newest schema and back, and nothing that waits in it is lost."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from app.auth.keys import DEFAULT_SCOPES, SCOPES
from app.cli.options import module_command, module_environment
from app.storage.counts.records import ESTIMATE
from app.storage.database import newest_migration
from app.storage.migrate import configuration, upgrade
from app.storage.runs import select_ids
from app.storage.tables import runs

RUN = """
INSERT INTO runs (id, account_id, seq, type, origin, state, options, plan, blob, source, file_bytes, file_sha256, total,
    created, due_at, created_at, finished_at)
VALUES ($1, 1, $2, 'contacts', 'api', $3, '{}', '{}', $4, $5, 1, '', 1, $6, now(), now(),
    CASE WHEN $3 = 'finished' THEN now() END)"""
RECORD = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
VALUES (1, 'contacts', $1, '{}', now(), now(), $2, 1, 1)"""
KEYED = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
VALUES (1, $1, $2, $3, now(), now(), NULL, 1, 1)"""
RECORDS = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
SELECT $1, $2, 'k' || i, '{}', now(), now(), 1, i FROM generate_series(1, $3) i"""
DECLARED = """
INSERT INTO record_types (account_id, name, declaration, created_at, updated_at) VALUES (1, $1, $2, now(), now())"""

MEMBERSHIP = "INSERT INTO memberships (person_id, account_id, role, created_at) VALUES ('ana', 1, $1, now())"
SESSION = """
INSERT INTO sessions (hash, id, person_id, key_id, account_id, created_at, seen_at, confirmed_at, expires_at)
VALUES ('', '1', $1, $2, 1, now(), now(), now(), now())"""

FEED = """
INSERT INTO feeds (id, account_id, name, connection_id, request, every, afterwards, on_failed, enabled, created_at,
    updated_at, next_at)
VALUES ('feed', 1, 'in', 'con', '{}', 60, 'keep', 'keep', true, now(), now(), now())"""
SEEN_FILE = """
INSERT INTO seen_files (feed_id, key, connection_id, path, state, seen_at, run_id)
VALUES ('feed', $1, 'con', '/in/a.csv', $1, now(), $2)"""

INDEXED = "SELECT indexname FROM pg_indexes WHERE indexname IN ('runs_kept', 'runs_tombstones')"
KEPT_AND_NOT = {
    "runs_kept": "account_id = 1 AND seq > 0 AND pruned_at IS NULL ORDER BY seq DESC LIMIT 1",
    "runs_tombstones": "finished_at < now() AND pruned_at IS NOT NULL",
}


async def test_0004_keeps_what_is_there_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0003")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "waiting", 1, "queued", "blob-1", None, 0)
    await connection.execute(RUN, "to-be-fetched", 2, "queued", None, "{}", 0)
    await connection.execute(RUN, "ended", 3, "finished", "blob-2", None, 1)
    await connection.execute(RECORD, "ana@example.com", "ended")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    assert await values(connection, "SELECT DISTINCT kind FROM runs") == ["import"]
    assert await values(connection, "SELECT blob FROM blob_owners ORDER BY blob") == ["blob-1", "blob-2"]
    await connection.execute(RECORD, "bob@example.com", None)
    await connection.execute("UPDATE runs SET parent_id = 'ended', relation = 'rerun' WHERE id = 'waiting'")
    await connection.execute("DELETE FROM runs WHERE id = 'ended'")
    assert await values(connection, "SELECT parent_id FROM runs WHERE id = 'waiting'") == [None]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0003")
    assert await values(connection, "SELECT id FROM runs ORDER BY id") == ["to-be-fetched", "waiting"]
    assert await values(connection, "SELECT run_id FROM records ORDER BY key") == ["ended", ""]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0005_leaves_runs_without_digests_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0004")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "waiting", 1, "queued", "blob-1", None, 0)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0005")
    assert await values(connection, "SELECT blob_digests FROM runs WHERE waiting_for IS NULL") == [None]
    await connection.execute("UPDATE runs SET blob_digests = 'digests', waiting_for = 'storage'")
    await connection.execute("INSERT INTO blob_store (id) VALUES ('this')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO blob_store (id) VALUES ('another')")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0004")
    assert await values(connection, "SELECT blob FROM runs") == ["blob-1"]
    assert await values(connection, "SELECT to_regclass('blob_store')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0006_empties_old_tombstones_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0005")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, run in enumerate(("kept", "pruned")):
        await connection.execute(RUN, run, number, "finished", None, None, 1)
    await connection.execute("UPDATE runs SET plan = '{\"a\": 1}', options = '{\"b\": 2}'")
    await connection.execute("UPDATE runs SET pruned_at = now() WHERE id = 'pruned'")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0006")
    assert await values(connection, "SELECT plan || options FROM runs ORDER BY id") == ['{"a": 1, "b": 2}', "{}"]
    assert await values(connection, "SELECT DISTINCT plan_version FROM runs") == [1]
    assert await values(connection, "SELECT oldest FROM schema_compat") == ["0003"]
    assert await values(connection, "SELECT mails FROM accounts WHERE mails_on IS NULL") == [0]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0005")
    assert await values(connection, "SELECT id FROM runs ORDER BY id") == ["kept", "pruned"]
    assert await values(connection, "SELECT to_regclass('schema_compat')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0006_gives_records_the_key_under_which_they_are_looked_for(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0005")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    declaration = '{"key": "mail", "fields": [{"id": "mail", "type": "email"}, {"id": "x", "type": "text"}]}'
    for name, key in (("members", declaration), ("notes", declaration.replace('"email"', '"text"'))):
        await connection.execute(DECLARED, name, key)
    for name, key, data in (
        ("contacts", "ana@xn--mnchen-3ya.de", '{"_email": "Ana@XN--mnchen-3ya.de"}'),
        ("contacts", "bob@xn--mnchen-3ya.de", '{"_email": "bob@xn--mnchen-3ya.de", "_name": "Bob"}'),
        ("contacts", "bob@münchen.de", '{"_email": "bob@münchen.de", "_name": "Robert"}'),
        ("contacts", "id@xn--mnchen-3ya.de", '{"_externalId": "id@xn--mnchen-3ya.de"}'),
        ("contacts", "no@xn--0.de", '{"_email": "no@xn--0.de"}'),
        ("members", "ana@xn--mnchen-3ya.de", "{}"),
        ("notes", "ana@xn--mnchen-3ya.de", "{}"),
    ):
        await connection.execute(KEYED, name, key, data)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0006")
    keys = "SELECT key FROM records WHERE type = '{}' ORDER BY key COLLATE \"C\""
    assert await values(connection, keys.format("contacts")) == [
        "ana@münchen.de",
        "bob@münchen.de",
        "bob@xn--mnchen-3ya.de",  # nobody can say which of the two is right
        "id@xn--mnchen-3ya.de",
        "no@xn--0.de",
    ]
    assert await values(connection, keys.format("members")) == ["ana@münchen.de"]
    assert await values(connection, keys.format("notes")) == ["ana@xn--mnchen-3ya.de"]
    bobs = "SELECT data->>'_name' FROM records WHERE key LIKE 'bob%' ORDER BY 1"
    assert await values(connection, bobs) == ["Bob", "Robert"]
    await connection.close()


async def test_0007_builds_its_indexes_while_runs_go_on_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0006")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "named", 1, "queued", "blob-1", None, 0)
    await connection.execute("CREATE INDEX runs_accepted ON runs (id)")  # as an interrupted migration leaves it

    batch = await asyncpg.connect(empty_database)
    async with batch.transaction():
        await batch.execute("UPDATE runs SET name = 'Prices'")
        migrating = asyncio.create_task(asyncio.to_thread(command.upgrade, configuration(empty_database), "0007"))
        environment = module_environment("app", SLUICE_DATABASE_URL=empty_database)
        waiting = await asyncio.create_subprocess_exec(*module_command("app", "migrate"), env=environment)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted"
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        while not (await values(connection, waits) and len(await values(connection, others)) == 3):
            await asyncio.sleep(0.01)
        await connection.execute(RUN, "meanwhile", 2, "queued", "blob-2", None, 0)  # nobody waits for the migration
        await batch.execute("UPDATE runs SET total = 2 WHERE id = 'named'")
    await migrating
    assert await waiting.wait() == 0
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text IN ('runs_shown', 'runs_named')"
    assert await values(connection, valid) == [True, True]
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET name = repeat('é', 201)")
    await connection.execute("UPDATE runs SET name = repeat('é', 200)")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0006")
    assert await values(connection, "SELECT id FROM runs ORDER BY seq") == ["named", "meanwhile"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()
    await batch.close()


async def test_0008_lets_exports_finish_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0007")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "import", 1, "finished", "blob-1", None, 1)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0008")
    await connection.execute(
        RUN.replace("(id,", "(kind, id,").replace("VALUES (", "VALUES ('export', "),
        "export",
        None,
        "queued",
        None,
        None,
        0,
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET state = 'finished', finished_at = now() WHERE id = 'export'")
    await connection.execute("UPDATE runs SET state = 'finished', finished_at = now(), at_row = 1 WHERE id = 'export'")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET created = 0, at_row = 1 WHERE id = 'import'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0007")
    assert await values(connection, "SELECT id FROM runs") == ["import"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


KEY = "INSERT INTO api_keys (id, account_id, secret_hash, scopes, created_at) VALUES ($1, 1, '', $2, now())"
ALL_OF_0_1 = [
    *("imports:read", "imports:write", "imports:delete", "records:read", "types:read", "types:write"),
    *("connections:read", "connections:write"),
]


async def test_0010_gives_new_scopes_to_keys_that_have_all_others(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0009")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(KEY, "a-all", ALL_OF_0_1)
    await connection.execute(KEY, "b-some", ALL_OF_0_1[1:])
    await connection.execute(KEY, "c-admin", ["admin"])

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0010")
    scopes = "SELECT array_length(scopes, 1) FROM api_keys ORDER BY id"
    assert await values(connection, scopes) == [12, 7, 1]
    new = (
        "SELECT scopes @> '{mappings:read,mappings:write,exports:read,exports:write}' FROM api_keys WHERE id = 'a-all'"
    )
    assert await values(connection, new) == [True]
    template = """INSERT INTO mappings (id, account_id, name, type, mapping, created_at, updated_at)
    VALUES ($1, 1, $2, 'contacts', '{}', now(), now())"""
    await connection.execute(template, "map_1", "Prices")
    for template_id, name in (("map_2", "Prices"), ("map_3", ""), ("map_4", "x" * 201)):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(template, template_id, name)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0009")
    assert await values(connection, scopes) == [8, 7, 1]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    # Every migration that brings scopes gives them to the keys that have all others.
    kept = await values(connection, "SELECT scopes FROM api_keys ORDER BY id")
    assert [set(kept[0]), *kept[1:]] == [set(DEFAULT_SCOPES), ALL_OF_0_1[1:], ["admin"]]
    await connection.close()


async def test_0011_lets_exports_be_delivered_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0010")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "import", 1, "queued", "blob-1", None, 0)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET step = 'deliver'")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0011")
    assert await values(connection, "SELECT destinations FROM runs") == [None]
    export = RUN.replace("(id,", "(kind, step, id,").replace("VALUES (", "VALUES ('export', 'deliver', ")
    await connection.execute(export, "delivering", None, "running", None, None, 0)
    await connection.execute(export, "delivered", None, "queued", None, None, 0)
    ends = "state = 'finished', finished_at = now(), at_row = 1"
    await connection.execute(f"UPDATE runs SET destinations = '[]', {ends} WHERE id = 'delivered'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0010")
    steps = "SELECT id || ' ' || coalesce(step, '-') FROM runs ORDER BY id"
    assert await values(connection, steps) == ["delivered write", "import -"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0012_lets_runs_be_held_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0011")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, run in enumerate(("cancelled", "halted", "planned", "waiting")):
        await connection.execute(RUN, run, number, "queued", "blob-1", None, 0)
    await connection.execute(RUN, "done", 9, "finished", None, None, 1)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0012")
    held = "UPDATE runs SET state = id, held_at = now(), fail_code = $2 WHERE id = $1"
    await connection.execute(held, "halted", "brake")
    await connection.execute(held, "planned", None)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET state = 'halted' WHERE id = 'waiting'")
    ended = "UPDATE runs SET state = id, finished_at = now(), fail_code = 'cancelled' WHERE id = 'cancelled'"
    await connection.execute(ended)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0011")
    failed = ["cancelled failed cancelled", "done finished", "halted failed brake", "planned failed cancelled"]
    states = "SELECT concat_ws(' ', id, state, fail_code) FROM runs ORDER BY id"
    assert await values(connection, states) == [*failed, "waiting queued"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0013_stores_item_syncs_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0013")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(KEY, "all", [*DEFAULT_SCOPES])
    sync = """INSERT INTO item_syncs (id, account_id, name, connection_id, settings, created_at, updated_at)
    VALUES ($1, 1, $2, 'con_1', '{}', now(), now())"""
    await connection.execute(sync, "sync_1", "App4Sales")
    for sync_id, name in (("sync_2", "App4Sales"), ("sync_3", ""), ("sync_4", "x" * 201)):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(sync, sync_id, name)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0012")
    assert await values(connection, "SELECT scopes && '{syncs:read,syncs:write}' FROM api_keys") == [False]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0014_lets_imports_be_staged_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0013")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, (run, state) in enumerate({"direct": "queued", "staging": "running", "applying": "queued"}.items()):
        await connection.execute(RUN, run, number, state, "blob-1", None, 0)
    await connection.execute(RUN, "ended", 4, "finished", "blob-1", None, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("UPDATE runs SET step = 'apply'")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0014")
    await connection.execute("UPDATE runs SET step = 'apply' WHERE id IN ('applying', 'ended')")
    await connection.execute(
        "INSERT INTO staged_records (account_id, staged_by, type, key, data, created_at, updated_at, run_seq, run_row, "
        "incoming, rows) VALUES (1, 'staging', 'contacts', 'a@x.org', '{}', now(), now(), 1, 1, '{}', '{1}')"
    )
    assert await values(connection, "SELECT DISTINCT removed FROM runs") == [None]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0013")
    steps = "SELECT id || ' ' || coalesce(step, '-') FROM runs ORDER BY id"
    assert await values(connection, steps) == ["direct -", "ended write"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0015_lets_item_syncs_run_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0014")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "import", 1, "queued", "blob-1", None, 0)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0015")
    run = RUN.replace("(id,", "(kind, step, sync_id, id,").replace("VALUES (", "VALUES ('sync', 'fetch', SYNC, ")
    await connection.execute(run.replace("SYNC", "'sync_1'"), "first", 2, "finished", None, None, 1)
    await connection.execute(run.replace("SYNC", "'sync_1'"), "second", 3, "running", None, None, 0)
    for sync_id, number in (("'sync_1'", 4), ("NULL", 5)):  # one is open already; it is of no item sync
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(run.replace("SYNC", sync_id), "third", number, "queued", None, None, 0)
    file = """INSERT INTO sync_files (run_id, number, role, path, size, blob, digests, sha256)
    VALUES ('first', 1, 'items', '/a.csv', 1, 'blob-2', '', '')"""
    await connection.execute(file)
    assert await values(connection, "SELECT blob FROM blob_owners ORDER BY blob") == ["blob-1", "blob-2"]
    await connection.execute("DELETE FROM runs WHERE id = 'first'")
    assert await values(connection, "SELECT blob FROM blob_owners ORDER BY blob") == ["blob-1"]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0014")
    assert await values(connection, "SELECT id FROM runs") == ["import"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0017_stores_schedules_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0017")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(KEY, "all", [*DEFAULT_SCOPES])
    schedule = """
    INSERT INTO schedules (id, account_id, name, kind, request, cron, timezone, enabled, due_at, created_at, updated_at)
    VALUES ($1, 1, $2, 'export', '{}', '0 2 * * *', 'UTC', $3, now(), now(), now())"""
    await connection.execute(schedule, "sch_1", "Nightly", True)
    for schedule_id, name, enabled in (("sch_2", "Nightly", True), ("sch_3", "", True), ("sch_4", "Paused", False)):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(schedule, schedule_id, name, enabled)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0016")
    assert await values(connection, "SELECT scopes && '{schedules:read,schedules:write}' FROM api_keys") == [False]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0030_stores_webhooks_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0029")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    others = [scope for scope in DEFAULT_SCOPES if not scope.startswith("webhooks:")]
    await connection.execute(KEY, "all", others)
    await connection.execute(RUN, "import", 1, "queued", "blob-1", None, 0)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0030")
    assert await values(connection, "SELECT scopes @> '{webhooks:read,webhooks:write}' FROM api_keys") == [True]
    await connection.execute("""
    INSERT INTO webhooks (id, account_id, name, url, events, secret, created_at, updated_at)
    VALUES ('wh_1', 1, 'One', 'https://example.com', '{run.finished}', '', now(), now())""")
    message = """
    INSERT INTO webhook_deliveries (id, account_id, webhook_id, event, data, state, begun_at, due_at, created_at)
    VALUES ($1, 1, 'wh_1', 'run.finished', '{}', $2, now(), now(), now())"""
    await connection.execute(message, "msg_1", "pending")
    for state in ("delivered", "lost"):  # one that is delivered has the time of its end
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(message, "msg_2", state)
    await connection.execute("DELETE FROM webhooks")
    assert await values(connection, "SELECT count(*) FROM webhook_deliveries") == [0]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0029")
    assert await values(connection, "SELECT scopes && '{webhooks:read,webhooks:write}' FROM api_keys") == [False]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0018_lets_item_syncs_move_their_files_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0018")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    run = RUN.replace("(id,", "(kind, step, sync_id, id,").replace(
        "VALUES (", "VALUES ('sync', 'afterwards', 'sync_1', "
    )
    await connection.execute(run, "moving", 1, "running", None, None, 1)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0017")
    assert await values(connection, "SELECT step || ' ' || state FROM runs") == ["write finished"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


# As if a vacuum that may not be cancelled had kept the migration from its lock for too long.
INTERRUPT = """
CREATE FUNCTION interrupt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_query() LIKE '%VALIDATE CONSTRAINT%' THEN RAISE EXCEPTION USING ERRCODE = '55P03'; END IF;
END $$;
CREATE EVENT TRIGGER interrupting ON ddl_command_start EXECUTE FUNCTION interrupt()"""


@pytest.mark.parametrize("revision", ["0008", "0011", "0014", "0015"])
async def test_a_migration_that_was_interrupted_after_its_first_part_begins_again(
    empty_database: str, revision: str
) -> None:
    before, connection = f"{int(revision) - 1:04}", await asyncpg.connect(empty_database)
    await asyncio.to_thread(command.upgrade, configuration(empty_database), before)
    for move, target in ((command.upgrade, revision), (command.downgrade, before)):
        await connection.execute(INTERRUPT)
        with pytest.raises(DBAPIError):
            await asyncio.to_thread(move, configuration(empty_database), target)
        await connection.execute("DROP EVENT TRIGGER interrupting; DROP FUNCTION interrupt")
        await asyncio.to_thread(move, configuration(empty_database), target)
        assert await values(connection, "SELECT version_num FROM alembic_version") == [target]
    await connection.close()


async def test_0004_locks_records_before_runs_as_batches_do(empty_database: str) -> None:
    """A batch may hold locks on records before it comes to its run: the migration waits for it, and none of them
    dies."""
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0003")
    batch = await asyncpg.connect(empty_database)
    await batch.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await batch.execute(RUN, "at-work", 1, "running", "blob-1", None, 0)
    async with batch.transaction():
        await batch.execute(RECORD, "ana@example.com", "at-work")
        migrating = asyncio.create_task(asyncio.to_thread(command.upgrade, configuration(empty_database), "head"))
        while not await values(batch, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await batch.execute("UPDATE runs SET created = 1 WHERE id = 'at-work'")
    await migrating
    assert await values(batch, "SELECT created FROM runs") == [1]
    await batch.close()


async def test_a_migration_that_meets_a_deadlock_begins_again(empty_database: str) -> None:
    """A merge looks for other imports before it writes records: then the order of 0004 is the wrong one."""
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0003")
    batch = await asyncpg.connect(empty_database)
    async with batch.transaction():
        await batch.execute("SELECT FROM runs")
        migrating = asyncio.create_task(asyncio.to_thread(upgrade, empty_database))
        while not await values(batch, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        await batch.execute("UPDATE records SET key = key")  # PostgreSQL ends the migration, which has waited longer
    await migrating
    assert await values(batch, "SELECT version_num FROM alembic_version") == [newest_migration()]
    await batch.close()


async def test_0009_adds_a_column_for_names_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0008")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(KEYED, "contacts", "ana@example.com", "{}")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0009")
    await connection.execute(KEYED, "tags", "1", '{"slug": "sale"}')
    await connection.execute("UPDATE records SET name = 'sale' WHERE key = '1'")
    indexed = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'records_named'::regclass"
    assert await values(connection, indexed) == [True]
    assert await values(connection, "SELECT name FROM records ORDER BY key") == ["sale", None]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0008")
    assert await values(connection, "SELECT key FROM records ORDER BY key") == ["1", "ana@example.com"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0016_lets_pictures_own_files_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0015")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "waiting", 1, "queued", "blob-1", None, 0)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0016")
    picture = "INSERT INTO pictures (account_id, sha256, width, blob, refused) VALUES (1, $1, 0, $2, $3)"
    await connection.execute(picture, "a", "blob-2", None)
    await connection.execute(picture, "b", None, "damaged_picture")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(picture, "c", None, None)
    assert await values(connection, "SELECT blob FROM blob_owners ORDER BY blob") == ["blob-1", "blob-2"]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0015")
    assert await values(connection, "SELECT blob FROM blob_owners") == ["blob-1"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0019_adds_feeds_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0018")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    key = "INSERT INTO api_keys (id, account_id, secret_hash, scopes, created_at) VALUES ($1, 1, '', $2, now())"
    whole = sorted({scope for scope in SCOPES if not scope.startswith(("admin", "feeds:"))})
    await connection.execute(key, "whole", whole)
    await connection.execute(key, "part", ["imports:read", "connections:read"])

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0019")
    scopes = "SELECT array_agg(scope ORDER BY scope) FROM (SELECT id, unnest(scopes) AS scope FROM api_keys) AS k "
    scopes += "GROUP BY id ORDER BY id"
    assert await values(connection, scopes) == [
        ["connections:read", "imports:read"],
        sorted([*whole, "feeds:read", "feeds:write"]),
    ]
    await connection.execute(FEED)
    await connection.execute(SEEN_FILE, "waiting", None)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(SEEN_FILE, "importing", None)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0018")
    assert await values(connection, scopes) == [["connections:read", "imports:read"], whole]
    assert await values(connection, "SELECT to_regclass('seen_files')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0020_knows_the_step_of_pictures_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0020")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, (run, state) in enumerate((("open", "queued"), ("ended", "finished"))):
        await connection.execute(RUN, run, number, state, None, None, 1)
    await connection.execute("UPDATE runs SET step = 'images'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0019")
    assert [tuple(row) for row in await connection.fetch("SELECT id, step FROM runs")] == [("ended", "fetch")]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0021_keeps_connections_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0020")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(
        "INSERT INTO connections (id, account_id, name, settings, secret, created_at, updated_at) "
        "VALUES ('con', 1, 'shop', '{}', '', now(), now())"
    )
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0021")
    assert await values(connection, "SELECT last_tests FROM connections") == ["{}"]
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0020")
    assert await values(connection, "SELECT name FROM connections") == ["shop"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0022_tells_when_templates_were_used_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0021")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    template = """INSERT INTO mappings (id, account_id, name, type, mapping, created_at, updated_at)
    VALUES ($1, 1, $1, 'contacts', '{}', now(), now())"""
    options = ('{"mapping": {"id": "map_1"}}', '{"mapping": {"id": "map_1"}}', '{"mappingId": "map_2"}', "{}")
    for number, each in enumerate(options):
        await connection.execute(template, f"map_{number + 1}")
        await connection.execute(RUN, f"run-{number}", number, "finished", None, None, 1)
        day = f"2026-11-0{number + 1}"
        await connection.execute(
            "UPDATE runs SET options = $1, created_at = $2::text::date WHERE seq = $3", each, day, number
        )

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0022")
    days = "SELECT last_used_at::date::text FROM mappings ORDER BY id"
    assert await values(connection, days) == ["2026-11-02", "2026-11-03", None, None]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0021")
    assert await values(connection, "SELECT id FROM mappings ORDER BY id") == ["map_1", "map_2", "map_3", "map_4"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0023_replaces_the_index_of_lists_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0023")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "kept", 1, "queued", None, None, 1)
    await connection.execute("UPDATE runs SET interruptions = '[]'")
    lists = "SELECT indexname::text FROM pg_indexes WHERE indexname IN ('runs_accepted', 'runs_shown')"
    assert await values(connection, lists) == ["runs_shown"]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0022")
    assert await values(connection, lists) == ["runs_accepted"]
    assert await values(connection, "SELECT id FROM runs") == ["kept"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0024_stores_drafts_that_own_files_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0024")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "run", 1, "queued", "blob-1", None, 1)
    draft = """INSERT INTO drafts (id, account_id, step, choices, blob, run_id, created_at, changed_at, expires_at)
    VALUES ($1, 1, 'type', '{}', $2, $3, now(), now(), now())"""
    await connection.execute(draft, "open", "blob-2", None)
    await connection.execute(draft, "done", None, "run")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(draft, "wrong", "blob-3", "run")
    owners = "SELECT owner || ' ' || blob FROM blob_owners ORDER BY blob"
    assert await values(connection, owners) == ["run blob-1", "draft blob-2"]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0023")
    assert await values(connection, owners) == ["run blob-1"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0025_lets_people_in_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0024")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    key = "INSERT INTO api_keys (id, account_id, secret_hash, scopes, created_at) VALUES ($1, 1, '', '{}', now())"
    for key_id in ("kept", "ending"):
        await connection.execute(key, key_id)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0025")
    assert await values(connection, "SELECT DISTINCT expires_at FROM api_keys WHERE last_used_at IS NULL") == [None]
    await connection.execute("INSERT INTO people (id, email, name, created_at) VALUES ('ana', 'a@b.c', 'Ana', now())")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO people (id, email, name, created_at) VALUES ('eve', 'a@b.c', 'E', now())")
    with pytest.raises(asyncpg.CheckViolationError, match="known_role"):
        await connection.execute(MEMBERSHIP, "owner")
    await connection.execute(MEMBERSHIP, "viewer")
    with pytest.raises(asyncpg.CheckViolationError, match="of_a_person_or_a_key"):
        await connection.execute(SESSION, "ana", "kept")
    await connection.execute(SESSION, "ana", None)
    await connection.execute("DELETE FROM people")
    assert await values(connection, "SELECT count(*) FROM sessions") == [0]
    await connection.execute("UPDATE api_keys SET expires_at = now() + interval '1 day' WHERE id = 'ending'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0024")
    assert await values(connection, "SELECT id FROM api_keys WHERE revoked_at IS NULL") == ["kept"]
    assert await values(connection, "SELECT to_regclass('people')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0026_keeps_many_named_keys_in_a_row_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0026")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO named_keys VALUES (1, 'run', 'contacts', 7, 'a', 'c', '{a,b,c}')")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0025")
    assert await values(connection, "SELECT staged_by || ' ' || key FROM staged_keys") == ["run a", "run b", "run c"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0027_lets_a_run_that_waits_keep_its_credentials_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0027")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, run in enumerate(("open", "planned", "ended")):
        await connection.execute(RUN, run, number, "finished" if run == "ended" else "queued", None, None, 1)
    await connection.execute("UPDATE runs SET secret = 'x' WHERE id <> 'ended'")
    await connection.execute("UPDATE runs SET state = 'planned', held_at = now() WHERE id = 'planned'")
    with pytest.raises(asyncpg.CheckViolationError, match="ended_keeps_no_secret"):
        await connection.execute("UPDATE runs SET secret = 'x' WHERE id = 'ended'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0026")
    assert await values(connection, "SELECT id FROM runs WHERE secret IS NOT NULL") == ["open"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0028_tells_about_how_many_records_an_account_has_of_a_type(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0027")
    connection = await asyncpg.connect(empty_database)
    for account, type_, many in ((1, "items", 12_000), (2, "contacts", 12_000), (2, "items", 20)):
        await connection.execute(RECORDS, account, type_, many)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0028")
    told = [await estimate(connection, *of) for of in ((1, "items"), (2, "items"), (1, "contacts"))]
    assert 10_000 < told[0] < 14_000
    assert max(told[1:]) < 500

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0027")
    assert await values(connection, "SELECT count(*) FROM pg_statistic_ext") == [0]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0029_finds_imports_by_their_file_and_keeps_answers_whole(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0028")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "run", 1, "finished", None, None, 1)
    await connection.execute("CREATE INDEX runs_of_file ON runs (id)")  # an attempt that was cut off

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0029")
    indexed = await values(connection, "SELECT pg_get_indexdef('runs_of_file'::regclass)")
    assert "(account_id, file_sha256)" in indexed[0]
    claim = "INSERT INTO idempotency_keys VALUES (1, 'k', 'c', now(), NULL, $1, NULL, NULL, now())"
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(claim, 201)
    await connection.execute(claim, None)

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0028")
    assert await values(connection, "SELECT to_regclass('idempotency_keys')::text") == [None]
    assert await values(connection, "SELECT to_regclass('runs_of_file')::text") == [None]
    assert await values(connection, "SELECT id FROM runs") == ["run"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0031_has_room_for_the_outcome_of_each_row(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0030")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "run", 1, "finished", None, None, 1)
    await connection.execute("INSERT INTO batches VALUES ('run', 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, NULL, now())")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0031")
    assert await values(connection, "SELECT outcomes FROM batches") == [None]
    await connection.execute("UPDATE batches SET outcomes = 'x'")
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0030")
    assert await values(connection, "SELECT created FROM batches") == [1]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0032_knows_corrections_and_takes_them_for_retries_when_it_is_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0031")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "first", 1, "finished", None, None, 1)
    await connection.execute(RUN, "second", 2, "finished", None, None, 1)
    correct = "UPDATE runs SET parent_id = 'first', relation = 'correction' WHERE id = 'second'"
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(correct)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.execute(correct)
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'known_relation'"
    assert await values(connection, valid) == [True]

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0031")
    assert await values(connection, "SELECT relation FROM runs WHERE id = 'second'") == ["retry"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0033_notes_what_is_changed_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0032")
    connection = await asyncpg.connect(empty_database)
    await connection.execute(RECORDS, 1, "items", 2)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0033")
    await connection.execute(
        "UPDATE records SET data = '{\"a\": 1}', run_id = 'run', updated_at = now() + interval '1s'"
    )
    await connection.execute("DELETE FROM records WHERE key = (SELECT min(key) FROM records)")
    noted = await connection.fetch(
        "SELECT outcome, run_id, before_run_id, before::text FROM record_changes ORDER BY id"
    )
    assert [tuple(row)[:2] for row in noted] == [("updated", "run"), ("updated", "run"), ("removed", None)]
    assert (noted[2]["before_run_id"], noted[2]["before"]) == ("run", '{"a": 1}')

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0032")
    assert await values(connection, "SELECT count(*) FROM records") == [1]
    assert await values(connection, "SELECT to_regclass('record_changes')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0036_notes_whose_row_a_record_bore_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0035")
    connection = await asyncpg.connect(empty_database)
    await connection.execute(RECORDS, 1, "items", 3)
    change = "UPDATE records SET updated_at = now() + interval '1s', run_id = 'run', run_seq = $1"
    await connection.execute(change, 7)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0036")
    await connection.execute(change.replace("'run'", "'later'").replace("1s", "2s"), 8)
    await connection.execute("DELETE FROM records WHERE key = (SELECT min(key) FROM records)")
    noted = "SELECT outcome || coalesce(before_run_seq::text, '') FROM record_changes ORDER BY id"
    assert (await values(connection, noted))[-1] == "removed8"
    assert set((await values(connection, noted))[:-1]) == {"created", "updated", "updated7"}

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0035")
    await connection.execute("DELETE FROM records WHERE key = (SELECT min(key) FROM records)")
    assert await values(connection, "SELECT count(*) FROM record_changes WHERE outcome = 'removed'") == [2]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


# As release 0.2 deletes what is too old to be undone.
FORGET = """
DELETE FROM record_changes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM record_changes t WHERE changed_at < now() - interval '1 day' LIMIT 20000))"""
CHANGES = "SELECT to_jsonb(c) - 'id' - 'ctid' - 'changed_at' FROM record_changes c ORDER BY id"


async def test_0043_notes_batches_in_a_row_which_earlier_releases_read_and_can_be_taken_back(
    empty_database: str,
) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0042")
    connection = await asyncpg.connect(empty_database)
    await connection.execute(RECORDS, 1, "items", 3)
    change = """UPDATE records SET data = jsonb_build_object('n', $1::text), run_id = $1,
        updated_at = now() + $2 * interval '1s'"""
    await connection.execute(change, "first", 1)
    expected = await values(connection, CHANGES)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0043")
    assert await values(connection, CHANGES) == expected
    await connection.execute(change, "second", 2)
    await connection.execute("UPDATE records SET run_id = NULL, updated_at = now() + interval '3s' WHERE key = 'k1'")
    await connection.execute("SELECT set_config('sluice.run_id', 'third', false)")
    await connection.execute("DELETE FROM records WHERE key <> 'k1'")
    assert await values(connection, "SELECT changes FROM changed_batches ORDER BY id") == [3, 2]
    told = [json.loads(each) for each in await values(connection, CHANGES)]
    short = [(each["outcome"], each["run_id"], each["before_run_id"]) for each in told[len(expected) :]]
    assert (
        short
        == [("updated", "second", "first")] * 3 + [("updated", None, "second")] + [("removed", "third", "second")] * 2
    )
    assert [each["before"] for each in told[len(expected) :]] == [{"n": "first"}] * 3 + [{"n": "second"}] * 3

    await connection.execute("UPDATE changed_records SET changed_at = now() - interval '2 days' WHERE run_id = 'first'")
    await connection.execute(FORGET)
    kept = await values(connection, CHANGES)
    assert len(kept) == len(told) - 3

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0042")
    assert await values(connection, CHANGES) == kept
    await connection.execute("UPDATE records SET run_id = 'last', updated_at = now() + interval '9s'")
    assert json.loads((await values(connection, CHANGES))[-1])["run_id"] == "last"
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def estimate(connection: "asyncpg.Connection[Any]", account_id: int, type_: str) -> int:
    plan = await connection.fetchval(ESTIMATE.replace(":account_id", "$1").replace(":type", "$2"), account_id, type_)
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"])


async def values(connection: "asyncpg.Connection[Any]", statement: str) -> list[Any]:
    return [row[0] for row in await connection.fetch(statement)]


async def test_0034_gives_accounts_no_brakes_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0033")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    assert await values(connection, "SELECT brakes::text FROM accounts") == ["{}"]
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0033")
    assert await values(connection, "SELECT name FROM accounts") == ["shop"]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0035_finds_the_runs_of_a_connection_without_reading_all_others(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0034")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "uploaded", 1, "finished", None, None, 1)
    await connection.execute(RUN, "fetched", 2, "finished", None, '{"connection_id": "con"}', 1)
    await connection.execute("CREATE INDEX runs_of_connection ON runs (id)")  # an attempt that was cut off
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0035")

    await connection.execute("SET enable_seqscan = off")
    wanted = select_ids(1, ["import"], {"connection_id": "con"}).order_by(runs.c.created_at.desc(), runs.c.id.desc())
    statement = str(wanted.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    assert await values(connection, statement) == ["fetched"]
    assert "runs_of_connection" in "".join(await values(connection, f"EXPLAIN {statement}"))

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0034")
    assert await values(connection, "SELECT to_regclass('runs_of_connection')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0037_gives_each_retry_its_rows_as_long_as_it_is_there(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "a" * 24, 1, "finished", None, None, 1)
    await connection.execute("INSERT INTO taken_rows (run_id, rows) VALUES ($1, $2)", "a" * 24, b"rows")
    await connection.execute("DELETE FROM runs")
    assert await values(connection, "SELECT count(*) FROM taken_rows") == [0]
    await connection.execute(RUN, "b" * 24, 2, "finished", None, None, 1)
    await connection.execute("INSERT INTO taken_rows (run_id, rows) VALUES ($1, $2)", "b" * 24, b"rows")
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0036")
    assert await values(connection, "SELECT count(*) FROM runs") == [1]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0038_lets_changed_records_stay_on_their_pages(empty_database: str) -> None:
    """In a record that stays on its page no entry of an index changes."""
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0037")
    connection = await asyncpg.connect(empty_database)
    await connection.execute(RECORDS, 1, "items", 100)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0038")
    await connection.execute("TRUNCATE records")
    await connection.execute(RECORDS, 1, "items", 5_000)
    await connection.execute("UPDATE records SET updated_at = now() + interval '1s'")
    await connection.fetch("SELECT pg_stat_force_next_flush()")
    changed = "SELECT n_tup_hot_upd::float / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'records'"
    assert (await values(connection, changed))[0] >= 0.95

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0037")
    assert await values(connection, "SELECT reloptions FROM pg_class WHERE oid = 'records'::regclass") == [None]
    assert await values(connection, "SELECT count(*) FROM records") == [5_000]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0039_finds_kept_runs_0040_knows_no_traces_and_both_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0038")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    for number, run in enumerate(("kept", "tombstone")):
        await connection.execute(RUN, run, number, "finished", None, None, 1)
    await connection.execute("UPDATE runs SET pruned_at = now() WHERE id = 'tombstone'")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0039")
    await connection.execute("SET enable_seqscan = off")
    await connection.execute("ANALYZE runs")
    for index, question in KEPT_AND_NOT.items():
        assert index in "".join(await values(connection, f"EXPLAIN SELECT id FROM runs WHERE {question}"))

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0040")
    assert await values(connection, "SELECT traceparent FROM runs") == [None, None]
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0038")
    assert await values(connection, "SELECT id FROM runs ORDER BY id") == ["kept", "tombstone"]
    assert await values(connection, INDEXED) == []
    await connection.close()


async def test_0041_notes_what_is_changed_from_then_on_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0040")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await connection.execute(RUN, "old", 1, "finished", None, None, 1)

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0041")
    await connection.execute(RUN, "new", 2, "finished", None, None, 1)
    await connection.execute("UPDATE runs SET heartbeat_at = now()")  # as a worker does
    await connection.execute("DELETE FROM runs")
    noted = "SELECT concat_ws(' ', actor_kind, action, what_id) FROM audit_log ORDER BY id"
    told = ["operator import.started new", "operator import.deleted old", "operator import.deleted new"]
    assert await values(connection, noted) == told
    with pytest.raises(asyncpg.RaiseError, match="only added to"):
        await connection.execute("UPDATE audit_log SET action = 'key.created'")

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0040")
    await connection.execute(RUN, "newer", 3, "finished", None, None, 1)
    assert await values(connection, "SELECT to_regclass('audit_log')::text") == [None]
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0041")
    # As an attempt leaves it that was cut off at its end.
    await connection.execute("UPDATE alembic_version SET version_num = '0040'")
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "head")
    await connection.close()


async def test_0044_suspends_accounts_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0043")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0044")
    await connection.execute("UPDATE accounts SET suspended_at = now(), quotas = '{\"keys\": 1}'")
    await connection.execute("UPDATE accounts SET last_seq = last_seq + 1")  # as earlier releases go on
    noted = await values(connection, "SELECT action FROM audit_log ORDER BY id")
    assert noted == ["account.created", "account.suspended", "account.changed"]
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0043")
    await connection.execute("UPDATE accounts SET quotas = '{}'")
    assert (await values(connection, "SELECT action FROM audit_log ORDER BY id"))[3:] == ["account.changed"]
    await connection.close()


async def test_0042_gives_accounts_room_for_quotas_and_can_be_taken_back(empty_database: str) -> None:
    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0041")
    connection = await asyncpg.connect(empty_database)
    await connection.execute("INSERT INTO accounts (name, created_at) VALUES ('shop', now())")

    await asyncio.to_thread(command.upgrade, configuration(empty_database), "0042")
    assert await values(connection, "SELECT quotas FROM accounts WHERE deleting_at IS NULL") == ["{}"]
    await connection.execute("UPDATE accounts SET quotas = '{\"keys\": 1}'")
    await connection.execute(
        "INSERT INTO operator_keys (id, secret_hash, label, created_at) VALUES ('x', '', 'x', now())"
    )

    await asyncio.to_thread(command.downgrade, configuration(empty_database), "0041")
    assert await values(connection, "SELECT name FROM accounts") == ["shop"]
    await connection.close()
