"""`sluice mappings` and `sluice import --mapping`, on a running service."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sluice

MAPPING = {
    "type": "contacts",
    "columns": [
        {"column": "E-Mail", "field": "_email"},
        {"column": "Geboren", "field": "_birthdate", "dateFormat": "DD.MM.YYYY"},
        {"column": "Notiz", "ignore": True},
    ],
    "options": {"delimiter": ";", "encoding": "windows-1252"},
}
FILE = "E-Mail;Geboren;Notiz\nana@example.com;31.01.1990;x\n"


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING))
    return str(tmp_path / "mapping.json")


def test_a_template_is_stored_shown_replaced_and_deleted(sluice: Sluice, mapping: str) -> None:
    stored = sluice("mappings", "put", "People", mapping)
    assert (stored.exit_code, stored.stderr) == (0, "")
    assert "Geboren  _birthdate  dateFormat: DD.MM.YYYY" in stored.stdout
    again = json.loads(sluice("mappings", "put", "People", "-", "--json", sent=json.dumps(MAPPING)).stdout)
    listed = sluice("mappings", "list").stdout.splitlines()
    assert [line.split()[:4] for line in listed[1:]] == [[again["id"], "People", "contacts", "3"]]
    assert json.loads(sluice("mappings", "show", "People", "--json").stdout) == again
    assert json.loads(sluice("mappings", "show", again["id"], "--json").stdout) == again
    assert sluice("mappings", "delete", "People").stdout == "Mapping template People is deleted\n"
    gone = sluice("mappings", "show", "People")
    assert (gone.exit_code, gone.stderr) == (
        1,
        'sluice: There is no mapping template with the name or id "People"\n',
    )


def test_what_inspect_prints_is_stored_and_imported_with(sluice: Sluice, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Adresse e-mail;Prénom\nana@example.com;Zoë\n", "cp1252")
    seen = sluice("inspect", str(tmp_path / "people.csv"), "--type", "contacts", "--json").stdout
    assert sluice("mappings", "put", "Seen", "-", sent=seen).exit_code == 0
    done = sluice("import", str(tmp_path / "people.csv"), "--mapping", "Seen", "--json")
    assert done.exit_code == 0, done.stderr
    imported = json.loads(done.stdout)
    assert (imported["created"], imported["mapping"]["name"]) == (1, "Seen")
    again = json.loads(sluice("rerun", imported["id"], str(tmp_path / "people.csv"), "--json").stdout)
    assert f"Mapping     Seen\nParent      rerun: {imported['id']}\n" in sluice("imports", "show", again["id"]).stdout
    shown = json.loads(sluice("records", "show", "contacts", "ana@example.com", "--json").stdout)
    assert shown["data"] == {"_email": "ana@example.com", "_name": "Zoë"}


def test_an_import_takes_type_and_options_from_its_template(sluice: Sluice, mapping: str, tmp_path: Path) -> None:
    assert sluice("mappings", "put", "People", mapping).exit_code == 0
    (tmp_path / "a.csv").write_text(FILE)
    done = sluice("import", str(tmp_path / "a.csv"), "--mapping", "People", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["options"]["delimiter"] == ";"
    products = {"type": "products", "columns": [{"column": "E-Mail", "field": "name"}]}
    assert sluice("mappings", "put", "People", "-", sent=json.dumps(products)).exit_code == 0
    twice = sluice("import", str(tmp_path / "a.csv"), "--mapping", "People")
    assert twice.exit_code == 2
    assert twice.stderr.endswith("for each of these types: contacts, products. Use --type\n")
    chosen = sluice("import", str(tmp_path / "a.csv"), "--mapping", "People", "--type", "contacts", "--json")
    assert json.loads(chosen.stdout)["unchanged"] == 1
    both = sluice("import", "x.csv", "--mapping", "a", "--mapping-file", "b")
    assert both.exit_code != 0


def test_the_default_template_takes_labels(sluice: Sluice) -> None:
    done = sluice("import", "-", "--mapping", "default", "--json", sent="Email\nana@example.com\n")
    assert json.loads(done.stdout)["created"] == 1
