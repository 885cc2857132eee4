"""`sluice schedules`, on a running service."""

import json
from pathlib import Path

from tests.cli.conftest import Sluice


def test_a_schedule_is_made_shown_changed_paused_and_deleted(sluice: Sluice, tmp_path: Path) -> None:
    options = ("--cron", "30 2 * * *", "--request", "-")
    made = sluice("schedules", "create", "Nightly", *options, sent='{"type": "contacts", "gzip": true}')
    assert (made.exit_code, made.stderr) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in made.stdout.splitlines())
    assert (facts["Kind"], facts["Request"], facts["Cron"]) == ("export", "type: contacts; gzip: yes", "30 2 * * *")

    shown = json.loads(sluice("schedules", "show", "Nightly", "--json").stdout)
    listed = sluice("schedules", "list").stdout.splitlines()
    assert listed[0].split() == ["ID", "NAME", "KIND", "CRON", "TIMEZONE", "NEXT", "LAST", "FAILURES"]
    assert listed[1].split()[:9] == [shown["id"], "Nightly", "export", "30", "2", "*", "*", "*", "UTC"]
    times = sluice("schedules", "next", "Nightly").stdout.splitlines()
    assert [time.endswith(" UTC") for time in times] == [True] * 3
    nothing = sluice("schedules", "create", "Nothing", "--cron", "0 9 * * *")
    assert "Say what is started" in str(nothing.exception)

    (tmp_path / "asked.json").write_text('{"type": "products"}')
    options = ("--name", "Weekly", "--cron", "0 6 * * MON", "--request", str(tmp_path / "asked.json"))
    changed = json.loads(sluice("schedules", "put", "Nightly", *options, "--timezone", "Europe/Rome", "--json").stdout)
    assert (changed["id"], changed["name"], changed["cron"], changed["timezone"], changed["request"]) == (
        *(shown["id"], "Weekly", "0 6 * * MON", "Europe/Rome"),
        {"type": "products"},
    )
    assert "paused\n" in sluice("schedules", "pause", "Weekly").stdout
    assert sluice("schedules", "next", "Weekly").stdout == ""
    assert json.loads(sluice("schedules", "resume", shown["id"], "--json").stdout)["enabled"] is True
    assert json.loads(sluice("runs", "list", "--created-by", shown["id"], "--json").stdout)["results"] == []
    assert sluice("schedules", "delete", "Weekly").stdout == "Schedule Weekly is deleted\n"


def test_an_item_sync_and_an_import_are_named_as_people_call_them(sluice: Sluice) -> None:
    connection = sluice("connections", "create", "Shop", "--transport", "ftp", "--host", "ftp.example.com", "--json")
    sync = json.loads(sluice("syncs", "create", "App4Sales", "--connection", "Shop", "--json").stdout)
    cron = ("--cron", "0 5 * * *", "--json")
    made = json.loads(sluice("schedules", "create", "Catalogue", "--sync", "App4Sales", *cron).stdout)
    assert (made["kind"], made["syncId"], made["request"]) == ("sync", sync["id"], {})
    asked = '{"path": "/out/a.csv", "type": "contacts"}'
    importing = sluice("schedules", "create", "Contacts", "--connection", "Shop", "--request", "-", *cron, sent=asked)
    assert json.loads(importing.stdout)["connectionId"] == json.loads(connection.stdout)["id"]


def test_what_is_wrong_is_told(sluice: Sluice) -> None:
    wrong = sluice("schedules", "create", "A", "--cron", "99 2 * * *", "--request", "-", sent='{"type": "contacts"}')
    assert (wrong.exit_code, wrong.stderr) == (1, 'sluice: The minute of `cron` must be 0 to 59, and "99" is not\n')
    gone = sluice("schedules", "pause", "Nowhere")
    assert (gone.exit_code, gone.stderr) == (1, 'sluice: There is no schedule with the name or id "Nowhere"\n')
    connection = ("schedules", "create", "A", "--cron", "0 2 * * *", "--connection", "x", "--request", "-")
    missing = sluice(*connection, sent="{}")
    assert (missing.exit_code, missing.stderr) == (1, 'sluice: There is no connection with the name or id "x"\n')
