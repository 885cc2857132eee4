"""`sluice feeds`, on a running service."""

import json

from tests.cli.conftest import Sluice

HOST = "192.0.2.1"  # of nobody, and not allowed to be called here


def test_a_feed_is_made_shown_changed_checked_paused_and_deleted(sluice: Sluice) -> None:
    made = sluice("connections", "create", "folder", "--transport", "ftp", "--host", HOST)
    assert made.exit_code == 0
    options = ("--connection", "folder", "--request", "-", "--afterwards", "move:/done")
    made = sluice("feeds", "create", "Supplier", *options, sent='{"path": "/in/*.csv", "type": "contacts"}')
    assert (made.exit_code, made.stderr) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in made.stdout.splitlines() if len(line.split()) > 1)
    assert (facts["Request"], facts["Every"], facts["Afterwards"]) == (
        *("path: /in/*.csv; type: contacts", "60 s", "move:/done"),
    )
    shown = json.loads(sluice("feeds", "show", "Supplier", "--json").stdout)
    changed = json.loads(sluice("feeds", "put", "Supplier", "--name", "Shop", "--every", "600", "--json").stdout)
    assert (changed["id"], changed["name"], changed["every"], changed["afterwards"]) == (
        *(shown["id"], "Shop", 600, "move:/done"),
    )
    assert "paused\n" in sluice("feeds", "pause", "Shop").stdout
    checked = sluice("feeds", "check", "Shop", "--json")
    assert json.loads(checked.stdout)["status"] == "failing"
    listed = sluice("feeds", "list").stdout.splitlines()
    assert listed[0].split() == ["ID", "NAME", "STATUS", "EVERY", "CHECKED", "PROBLEM"]
    assert listed[1].split()[:4] == [shown["id"], "Shop", "paused", "600"]
    assert "The host name is unknown" in listed[1]
    assert sluice("feeds", "files", "Shop").stdout.split() == ["PATH", "BYTES", "STATUS", "IMPORT", "AFTERWARDS"]
    assert json.loads(sluice("feeds", "resume", shown["id"], "--json").stdout)["enabled"] is True
    assert sluice("feeds", "delete", "Shop").stdout == "Feed Shop is deleted\n"


def test_what_is_wrong_is_told(sluice: Sluice) -> None:
    gone = sluice("feeds", "pause", "Nowhere")
    assert (gone.exit_code, gone.stderr) == (1, 'sluice: There is no feed with the name or id "Nowhere"\n')
    missing = sluice("feeds", "create", "A", "--connection", "x", "--request", "-", sent="{}")
    assert (missing.exit_code, missing.stderr) == (1, 'sluice: There is no connection with the name or id "x"\n')
