"""`sluice vault rotate`: every stored credential gets the first key, whatever happens beside it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app.cli import cli
from app.embedded import Servers
from app.runtime import Runtime
from app.storage.access import sealed
from app.vault import Vault, VaultError
from tests.support.http import Account
from tests.support.servers import new_database

MARKER = "hunter2-marker"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
RUN = """
INSERT INTO runs (id, account_id, seq, type, origin, state, options, plan, file_bytes, file_sha256, due_at, created_at,
                  secret)
VALUES ($1, $2, $3, 'contacts', 'api', 'queued', '{}', '{}', 0, '', now(), now(), $4)"""
FAIL = """
UPDATE runs SET state = 'failed', finished_at = now(), fail_code = 'worker_crashed', fail_detail = ''
WHERE id = 'ended'"""
DRAFT = """
INSERT INTO drafts (id, account_id, step, choices, secret, created_at, changed_at, expires_at)
VALUES ($1, $2, 'source', '{}', $3, now(), now(), now())"""
CONNECTION = """
INSERT INTO connections (id, account_id, name, settings, secret, created_at, updated_at)
VALUES ($1, $2, $1, '{}', $3, now(), now())"""
ALL = """
SELECT 'run:' || id AS bound_to, secret FROM runs UNION ALL SELECT 'connection:' || id, secret FROM connections
UNION ALL SELECT 'draft:' || id, secret FROM drafts"""
BYTES = """
SELECT table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND data_type = 'bytea' AND table_type = 'BASE TABLE'"""
# What cannot be turned back, and what is no secret.
NOT_SEALED = {
    "secret_hash", "hash", "fingerprint", "body", "blob_digests", "digests", "problems", "outcomes", "created_rows",
    "rows",
}  # fmt: skip

Secrets = Mapping[str, bytes | None]
Rotate = Callable[..., Result]


@pytest.fixture
def url(servers: Servers, request: pytest.FixtureRequest) -> str:
    return new_database(servers, request.node.name[:60])


@pytest.fixture
def rotate(url: str, monkeypatch: pytest.MonkeyPatch) -> Rotate:
    """Runs the command with these keys."""

    def run(*keys: str) -> Result:
        monkeypatch.setenv("SLUICE_DATABASE_URL", url)
        monkeypatch.setenv("SLUICE_SECRET_KEY", "the secret key of thirty-two letters")
        monkeypatch.setenv("SLUICE_VAULT_KEYS", ",".join(keys))
        return CliRunner().invoke(cli, ["vault", "rotate"])

    return run


def asked(url: str, statement: str, *given: Any) -> list[asyncpg.Record]:
    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement, *given)
        finally:
            await connection.close()

    return asyncio.run(ask())


def furnish(url: str, vault: Vault, runs: int = 3, connections: int = 2) -> None:
    """Waiting runs and connections with credentials, and one run that has ended and has none."""

    def locked(row: str) -> bytes:
        return vault.seal({"password": MARKER}, bound_to=row)

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        try:
            account = await connection.fetchval(
                "INSERT INTO accounts (name, created_at) VALUES ('a', now()) RETURNING id"
            )
            waiting = [(f"r{number:03}", account, number, locked(f"run:r{number:03}")) for number in range(runs)]
            await connection.executemany(RUN, [*waiting, ("ended", account, runs, None)])
            await connection.execute(FAIL)
            stored = [(f"c{number}", account, locked(f"connection:c{number}")) for number in range(connections)]
            await connection.executemany(CONNECTION, stored)
            if connections:
                await connection.execute(DRAFT, "d0", account, locked("draft:d0"))
        finally:
            await connection.close()

    asyncio.run(fill())


def secrets(url: str) -> Secrets:
    return {row["bound_to"]: row["secret"] for row in asked(url, ALL)}


def opening(vault: Vault, stored: Secrets) -> set[str]:
    """The rows whose secret opens where it stands."""
    found = set()
    for row, secret in stored.items():
        try:
            assert vault.open(secret or b"", bound_to=row) == {"password": MARKER}
        except VaultError:
            continue
        found.add(row)
    return found


ROWS = {"run:r000", "run:r001", "run:r002", "connection:c0", "connection:c1", "draft:d0"}


def test_rotating_seals_all_anew_so_that_the_old_key_can_go(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]))
    assert opening(Vault([NEW]), secrets(url)) == set()
    done = rotate(NEW, OLD)
    assert (done.exit_code, done.stdout) == (0, "Encrypted again: 6\n")
    assert opening(Vault([NEW]), secrets(url)) == ROWS
    assert opening(Vault([OLD]), secrets(url)) == set()
    assert secrets(url)["run:ended"] is None
    assert rotate(NEW).exit_code == 0
    assert opening(Vault([NEW]), secrets(url)) == ROWS


def test_no_byte_of_a_credential_is_readable_in_the_database(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]))
    rotate(NEW, OLD)
    stored = asked(url, "SELECT r::text AS row FROM runs r UNION ALL SELECT c::text FROM connections c")
    assert not any(MARKER in row["row"] or MARKER.encode().hex() in row["row"] for row in stored)


def test_what_was_moved_to_another_row_does_not_open_there_before_or_after(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]))
    first, second = secrets(url)["run:r000"], secrets(url)["run:r001"]
    for row, other in (("r000", second), ("r001", first)):
        asked(url, "UPDATE runs SET secret = $1 WHERE id = $2", other, row)
    asked(url, "UPDATE connections SET secret = $1 WHERE id = 'c0'", first)
    moved = {"run:r000", "run:r001", "connection:c0"}
    assert opening(Vault([OLD]), secrets(url)) == ROWS - moved
    assert rotate(NEW, OLD).exit_code == 0
    assert opening(Vault([NEW]), secrets(url)) == ROWS - moved


def test_more_rows_than_a_batch_has_are_all_rotated(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]), runs=230, connections=0)
    assert rotate(NEW, OLD).stdout == "Encrypted again: 230\n"
    assert len(opening(Vault([NEW]), secrets(url))) == 230


def test_what_no_key_opens_is_counted_and_left_and_the_others_are_rotated(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]))
    lost = Vault([Fernet.generate_key().decode()]).seal({"password": MARKER}, bound_to="run:r001")
    asked(url, "UPDATE runs SET secret = $1 WHERE id = 'r001'", lost)
    done = rotate(NEW, OLD)
    assert (done.exit_code, done.stdout) == (1, "Encrypted again: 5\n")
    assert "no key decrypts them: 1" in done.stderr
    assert secrets(url)["run:r001"] == lost
    assert opening(Vault([NEW]), secrets(url)) == ROWS - {"run:r001"}


def test_a_key_that_is_none_changes_nothing_and_is_not_repeated(url: str, rotate: Rotate) -> None:
    furnish(url, Vault([OLD]))
    before = secrets(url)
    done = rotate(MARKER, OLD)
    assert "SLUICE_VAULT_KEYS" in str(done.exception)
    assert MARKER not in str(done.exception) + done.output
    assert secrets(url) == before


async def test_everything_that_is_sealed_is_rotated(runtime: Runtime) -> None:
    """Of the schema as it is: a column of bytes that is new has to be named here, or in `sealed.TABLES`."""
    async with runtime.database.read() as session:
        found = await session.execute(text(BYTES))
        stored = {f"{table}.{column}" for table, column in found}
    plain = {each for each in stored if each.rpartition(".")[2] in NOT_SEALED}
    assert stored - plain == {f"{table}.secret" for table in sealed.TABLES}


async def test_a_secret_that_was_replaced_meanwhile_is_left_alone(runtime: Runtime, an_account: Account) -> None:
    async with runtime.database.transaction() as session:
        statement = text(CONNECTION.replace("$1", ":id").replace("$2", ":account").replace("$3", ":secret"))
        await session.execute(statement, {"id": "meanwhile", "account": an_account.id, "secret": b"new"})
        assert not await sealed.replace(session, "connections", sealed.Sealed("meanwhile", b"old"), b"resealed")
        assert await sealed.replace(session, "connections", sealed.Sealed("meanwhile", b"new"), b"resealed")
        await session.execute(text("DELETE FROM connections WHERE id = 'meanwhile'"))
