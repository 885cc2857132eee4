"""The commands that run one part, and what they say when something is missing: one line, exit code 2."""

from pathlib import Path

import pytest

from app.embedded import Servers
from tests.embedded.asking import Query
from tests.support.commands import run_command
from tests.support.servers import empty_database

pytestmark = pytest.mark.xdist_group("commands")
SECRET = "a secret key of thirty-two letters"
NOWHERE = {
    "SLUICE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none",
    "SLUICE_REDIS_URL": "redis://127.0.0.1:1",
    "SLUICE_SECRET_KEY": SECRET,
}


@pytest.mark.parametrize("part", ["api", "worker"])
@pytest.mark.parametrize("missing", sorted(NOWHERE))
def test_a_part_names_the_setting_that_it_misses(part: str, missing: str) -> None:
    refused = run_command(part, **{name: value for name, value in NOWHERE.items() if name != missing})

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"sluice: {missing} must be set")
    assert refused.stderr.count("\n") == 1


def test_a_setting_of_the_wrong_kind_is_named() -> None:
    refused = run_command("worker", SLUICE_QUEUE_LIMIT="many")

    assert refused.returncode == 2
    assert refused.stderr.startswith("sluice: SLUICE_QUEUE_LIMIT must be a whole number")


@pytest.mark.parametrize("part", ["api", "worker"])
def test_a_setting_that_cannot_be_used_ends_a_part_with_the_code_for_settings(part: str) -> None:
    refused = run_command(part, SLUICE_RATE_LIMIT="often", **NOWHERE)

    assert refused.returncode == 2
    assert "SLUICE_RATE_LIMIT" in refused.stderr


def test_migrate_says_in_one_line_that_the_database_does_not_answer() -> None:
    refused = run_command("migrate", SLUICE_DATABASE_URL=NOWHERE["SLUICE_DATABASE_URL"])

    assert refused.returncode == 1
    assert refused.stderr == (
        "sluice: PostgreSQL (SLUICE_DATABASE_URL) does not answer at 127.0.0.1:1: nothing listens there\n"
    )


@pytest.mark.parametrize("command", [("migrate",), ("key", "list")])
def test_an_address_of_the_database_that_is_none_is_named_and_not_quoted(command: tuple[str, ...]) -> None:
    refused = run_command(*command, SLUICE_DATABASE_URL="postgresql://u:hunter2@host:x/none")

    assert refused.returncode == 2
    assert refused.stderr.startswith("sluice: SLUICE_DATABASE_URL must look like ")
    assert "hunter2" not in refused.stderr


def test_migrate_makes_the_schema_and_may_be_run_again(servers: Servers, query: Query) -> None:
    url = empty_database(servers, "migrated")
    for _ in range(2):
        done = run_command("migrate", SLUICE_DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    assert query(url, "SELECT count(*) FROM alembic_version") == 1


def test_keys_of_an_environments_database_need_its_schema_and_its_secret_key(servers: Servers) -> None:
    where = {"SLUICE_DATABASE_URL": empty_database(servers, "keyed")}
    create = ("key", "create", "--account", "acme")
    assert "SLUICE_SECRET_KEY must be set" in run_command(*create, **where).stderr
    where["SLUICE_SECRET_KEY"] = SECRET
    assert "Run `sluice migrate`" in run_command(*create, **where).stderr
    run_command("migrate", **where)

    made = run_command(*create, "--scope", "imports:read", **where)

    assert made.stdout.splitlines()[-1].count(":") == 1
    assert "imports:read" in run_command("key", "list", **where).stdout


def test_keys_of_a_folder_on_which_nothing_runs_are_refused_with_what_to_do(data: Path) -> None:
    refused = run_command("key", "list", "--data", str(data))

    assert refused.returncode == 2
    assert refused.stderr == f"sluice: No instance runs on {data}. Start one with: sluice up --data {data}\n"


def test_an_unknown_scope_is_refused_with_the_list_of_those_that_are(data: Path) -> None:
    refused = run_command("key", "create", "--account", "acme", "--scope", "imports:eat", "--data", str(data))

    assert refused.returncode == 2
    assert "Unknown scope imports:eat. The scopes are " in refused.stderr
