"""`sluice syncs`, on a running service."""

import json
from dataclasses import fields
from pathlib import Path

from app.cli.managing.automation.item_syncs import SETTINGS
from app.syncs.settings import SyncSettings
from tests.cli.conftest import Sluice


def test_there_is_an_option_for_every_setting() -> None:
    assert set(SETTINGS) == {each.name for each in fields(SyncSettings)}


def test_an_item_sync_is_made_shown_changed_run_and_deleted(sluice: Sluice, tmp_path: Path) -> None:
    # Port 21 of this machine: nobody answers there, and the address is refused anyway.
    place = ("--transport", "ftp", "--host", "127.0.0.1")
    assert sluice("connections", "create", "Shop", *place).exit_code == 0
    settings = tmp_path / "sync.json"
    settings.write_text(json.dumps({"mode": "full", "trimValues": True, "maxErrors": 5}))
    options = ("--connection", "Shop", "--file", str(settings), "--mode", "incremental", "--separator", "pipe")
    made = json.loads(sluice("syncs", "create", "Catalogue", *options, "--json").stdout)
    assert (made["mode"], made["trimValues"], made["maxErrors"], made["separator"]) == ("incremental", True, 5, "|")
    assert made["id"] in sluice("syncs", "list").stdout
    assert "/itempictures.zip" in sluice("syncs", "show", "Catalogue").stdout

    options = ("--name", "Other", "--no-trim-values", "--afterwards", "move:/done")
    changed = json.loads(sluice("syncs", "put", "Catalogue", *options, "--json").stdout)
    kept = ("connectionId", "separator", "maxErrors")
    assert [changed[each] for each in kept] == [made[each] for each in kept]
    assert (changed["name"], changed["trimValues"], changed["afterwards"]) == ("Other", False, "move:/done")

    tested = sluice("syncs", "test", "Other")
    assert tested.exit_code == 1
    assert [line.split()[:2] for line in tested.stdout.splitlines()[1:]] == [["resolve", "no"]]

    run = json.loads(sluice("syncs", "run", made["id"], "--mode", "full", "--json").stdout)
    assert (run["kind"], run["syncId"]) == ("sync", made["id"])
    assert run["id"] in sluice("syncs", "runs", "Other").stdout
    shown = sluice("runs", "show", run["id"])
    assert "sync" in shown.stdout, shown.stderr

    refused = sluice("runs", "cancel", run["id"])
    assert "This item sync has ended already, so nothing was cancelled" in refused.stderr

    assert sluice("syncs", "delete", "Other").stdout == "Item sync Other is deleted\n"
    lost = sluice("syncs", "show", "Other")
    assert (lost.exit_code, lost.stderr) == (1, 'sluice: There is no item sync with the name or id "Other"\n')
