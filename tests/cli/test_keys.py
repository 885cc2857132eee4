"""`sluice key …` on a database: made, listed by the account's name or number, revoked."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.embedded import Servers
from tests.support.servers import new_database


@pytest.fixture
def url(servers: Servers, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    url = new_database(servers, request.node.name[:60])
    monkeypatch.setenv("SLUICE_DATABASE_URL", url)
    monkeypatch.setenv("SLUICE_SECRET_KEY", "the secret key of the tests of keys")
    return url


def sluice_key(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["key", *arguments])


def make(account: str) -> str:
    """The id of a new key."""
    done = sluice_key("create", "--account", account, "--scope", "imports:read")
    assert done.exit_code == 0, done.exception
    return done.stdout.splitlines()[-1].partition(":")[0]


async def told_of(url: str) -> list[str]:
    """What the audit log says of keys, and who did it."""
    connection = await asyncpg.connect(url)
    try:
        noted = "SELECT actor_kind || ' ' || action FROM audit_log WHERE action LIKE 'key.%' ORDER BY id"
        return [row[0] for row in await connection.fetch(noted)]
    finally:
        await connection.close()


async def number_of(url: str, account: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT id FROM accounts WHERE name = $1", account))
    finally:
        await connection.close()


def test_keys_are_listed_by_the_name_of_their_account_or_its_number(url: str) -> None:
    acme, other = make("acme"), make("other")
    number = asyncio.run(number_of(url, "acme"))

    every = sluice_key("list").stdout
    assert " ".join(every.splitlines()[0].split()) == "KEY ACCOUNT SCOPES LABEL CREATED USED EXPIRES REVOKED"
    assert acme in every
    assert other in every
    for account in ("acme", str(number)):
        listed = sluice_key("list", "--account", account).stdout
        assert (acme in listed, other in listed) == (True, False)


def test_a_name_made_of_digits_is_a_name(url: str) -> None:
    acme = make("acme")
    number = str(asyncio.run(number_of(url, "acme")))
    named = make(number)

    listed = sluice_key("list", "--account", number).stdout
    assert (acme in listed, named in listed) == (False, True)


def test_an_account_that_is_not_there_is_told(url: str) -> None:
    done = sluice_key("list", "--account", "nobody")

    assert str(done.exception) == "There is no account with the name or number nobody"


@pytest.mark.parametrize("account", ["", " ", "a\nb", "a\x1b[2J"])
def test_an_account_has_a_name_on_one_line(url: str, account: str) -> None:
    done = sluice_key("create", "--account", account)

    assert str(done.exception) == "`--account` must be a name on one line"


def test_a_revoked_key_shows_when(url: str) -> None:
    key = make("acme")

    assert sluice_key("revoke", key).stdout == "The key is revoked\n"
    assert len(sluice_key("list").stdout.splitlines()[1].split("  ")[-1].strip()) == len("2026-11-27 10:37")
    assert str(sluice_key("revoke", key).exception) == f"There is no valid key with the id {key}"
    assert asyncio.run(told_of(url)) == ["operator key.created", "operator key.revoked"]


def test_a_key_that_ends_by_itself_shows_when(url: str) -> None:
    assert sluice_key("create", "--account", "acme", "--expires-in-days", "1").exit_code == 0
    heading, row = sluice_key("list").stdout.splitlines()
    ends = row[heading.index("EXPIRES") : heading.index("REVOKED")].strip()
    assert (
        timedelta(hours=23) < datetime.fromisoformat(ends).replace(tzinfo=UTC) - datetime.now(UTC) < timedelta(hours=25)
    )
    assert sluice_key("create", "--account", "acme", "--expires-in-days", "0").exit_code == 2
