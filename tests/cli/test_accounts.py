"""`sluice account …` with an operator's key: an account is made, changed and deleted from the command line."""

import json

from tests.cli.conftest import Sluice
from tests.support.live import Live
from tests.support.servers import PEPPER


def test_accounts_are_administered_from_the_command_line(served: Live, sluice: Sluice) -> None:
    assert served.settings.database_url is not None
    shell = {"SLUICE_DATABASE_URL": served.settings.database_url.get_secret_value(), "SLUICE_SECRET_KEY": PEPPER}
    made = sluice("key", "create", "--operator", "--label", "a console", **shell)
    operator_key = made.stdout.splitlines()[-1]
    assert operator_key.partition(":")[0] in sluice("key", "list", "--operator", **shell).stdout

    def run(*arguments: str, **more: str) -> str:
        done = sluice("account", *arguments, SLUICE_KEY=operator_key, **more)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "openImports: 3" in run("create", "shop-cli", "--open-imports", "3", "--keys", "2")
    assert run("set", "shop-cli", "--file-bytes", "9", "--reset", "open-imports", "--json")
    shown = json.loads(run("show", "shop-cli", "--json"))
    assert (shown["quotas"], shown["limits"]["openImports"]) == ({"fileBytes": 9, "keys": 2}, 2)
    assert "shop-cli" in run("list")
    assert "suspended" in run("set", "shop-cli", "--suspended")
    assert json.loads(run("set", "shop-cli", "--keys", "2", "--json"))["status"] == "suspended"
    assert json.loads(run("set", "shop-cli", "--active", "--json"))["status"] == "active"
    key = run("create-key", "shop-cli", "--label", "x", "--scope", "imports:read").strip()
    own = sluice("account", "show", SLUICE_KEY=key)
    assert (own.exit_code, "shop-cli" in own.stdout) == (0, True)
    assert key.partition(":")[0] in run("keys", "shop-cli")
    assert run("revoke-key", "shop-cli", key) == "The key is revoked\n"

    wrong = sluice("account", "delete", "shop-cli", sent="shop\n", SLUICE_KEY=operator_key)
    assert (wrong.exit_code, "must be the name of the account" in wrong.stderr) == (1, True)
    assert "deleting" in run("delete", "shop-cli", "--confirm", "shop-cli")
    log = sluice("audit", "list", "--operator", "--action", "account.deletion_begun", SLUICE_KEY=operator_key)
    assert "The operator began to delete the account shop-cli" in log.stdout
    assert "operator is required" in sluice("audit", "list", "--operator").stderr
    assert sluice("key", "revoke", operator_key, **shell).stdout == "The key is revoked\n"
    assert sluice("account", "list", SLUICE_KEY=operator_key).exit_code == 1
