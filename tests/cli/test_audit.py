"""`sluice audit`, on a running service."""

import json

from tests.cli.conftest import Sluice


def test_what_was_done_is_listed_and_filtered(sluice: Sluice) -> None:
    assert sluice("connections", "create", "shop", "--transport", "ftp", "--host", "a.example.com").exit_code == 0
    listed = sluice("audit", "list")
    assert (listed.exit_code, listed.stderr) == (0, "")
    head, newest, *_ = listed.stdout.splitlines()
    assert head.split() == ["TIME", "WHAT", "ON", "SURFACE", "FROM"]
    assert "created the connection shop" in newest
    assert newest.split()[-2:] == ["native", "127.0.0.1"]
    found = json.loads(sluice("audit", "list", "--action", "key.created", "--json").stdout)["results"]
    assert [each["action"] for each in found] == ["key.created"]
    refused = sluice("audit", "list", "--action", "key.stolen")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "must be one of the actions" in refused.stderr
