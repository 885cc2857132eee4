"""`sluice webhook`, on a running service."""

import json
import re

from tests.cli.conftest import Sluice

URL = "https://127.0.0.1:8443/hook"


def test_a_webhook_is_made_listed_tested_rotated_switched_and_removed(sluice: Sluice) -> None:
    made = sluice("webhook", "create", "Warehouse", URL, "--event", "run.halted")
    assert (made.exit_code, made.stderr) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in made.stdout.splitlines())
    assert (facts["Events"], facts["Runs"], facts["State"]) == ("run.halted", "all", "on")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", facts["Secret"])

    tested = sluice("webhook", "test", "Warehouse")
    assert (tested.exit_code, tested.stdout) == (1, "")
    assert "one that this service is not allowed to call" in tested.stderr
    listed = json.loads(sluice("webhook", "deliveries", "Warehouse", "--json").stdout)["results"]
    assert [(each["event"], each["status"]) for each in listed] == [("webhook.test", "failed")]
    again = sluice("webhook", "replay", "Warehouse", listed[0]["id"])
    assert again.stdout == f"The message {listed[0]['id']} is sent again\n"
    assert listed[0]["id"] in sluice("webhook", "deliveries", facts["ID"]).stdout

    rotated = json.loads(sluice("webhook", "rotate", "Warehouse", "--old-hours", "0", "--json").stdout)
    assert rotated["secret"] != facts["Secret"]
    assert "off\n" in sluice("webhook", "disable", "Warehouse").stdout
    assert sluice("webhook", "list").stdout.splitlines()[1].split() == [
        facts["ID"],
        "Warehouse",
        URL,
        "run.halted",
        "off",
    ]
    assert "on\n" in sluice("webhook", "enable", "Warehouse").stdout
    assert sluice("webhook", "remove", "Warehouse").stdout == "Webhook Warehouse is deleted\n"
    gone = sluice("webhook", "test", "Warehouse")
    assert (gone.exit_code, gone.stderr) == (1, 'sluice: There is no webhook with the name or id "Warehouse"\n')
