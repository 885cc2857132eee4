"""`sluice inspect` shows without a service how a file would be read and mapped."""

import json
import os
import sys
from pathlib import Path

import pytest

from app.cli import main

FILE = "Artikelnummer;Bezeichnung;VK-Preis;Link\nA1;Stuhl;12.50;https://x.example.com/1\nA2;Tür;x;https://x.example.com/2\n"


@pytest.fixture
def inspect(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Inspect":
    """Runs the command in this process, without a setting."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
    return Inspect(monkeypatch, capsys)


class Inspect:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["sluice", "inspect", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_bytes(FILE.encode("cp1252"))
    return path


def test_columns_problems_and_what_is_missing_are_printed(inspect: Inspect, file: Path) -> None:
    code, shown, _ = inspect(str(file), "--type", "products")
    assert code == 0
    assert shown.startswith("prices.csv: csv, delimiter semicolon, windows-1252; 2 rows read\n")
    lines = [line.split() for line in shown.splitlines()]
    assert ["Bezeichnung", "name", "90%", "synonym", "Stuhl", "·", "Tür"] in [line[:7] for line in lines]
    assert "Rows with a problem: 1" in shown
    assert "line 3: x" in shown
    code, shown, _ = inspect(str(file), "--type", "contacts")
    assert "Required, and no column fills it: _email or _externalId" in shown
    assert "Look at these again" not in shown


def test_a_mapping_file_says_what_columns_fill_and_how_the_file_is_read(
    inspect: Inspect, file: Path, tmp_path: Path
) -> None:
    columns = [{"column": "Artikelnummer", "field": "productId"}, {"column": "VK-Preis", "ignore": True}]
    mapping = {"name": "Mine", "type": "products", "columns": columns, "options": {"encoding": "iso-8859-1"}}
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    code, shown, _ = inspect(
        str(file), "--type", "products", "--mapping-file", str(tmp_path / "mapping.json"), "--json"
    )
    told = json.loads(shown)
    assert (code, told["dialect"]["encoding"], told["dialect"]["delimiter"]) == (0, "iso-8859-1", ";")
    assert told["columns"][0]["reason"] == "template"
    assert "field" not in told["columns"][2]
    code, _, said = inspect(str(file), "--type", "contacts", "--mapping-file", str(tmp_path / "mapping.json"))
    assert (code, "is for another type" in said) == (2, True)


def test_what_is_not_sure_is_told_with_the_reason(inspect: Inspect, tmp_path: Path) -> None:
    (tmp_path / "doubts.csv").write_text("SKU,Artikelnummer\n1,2\n")
    _, shown, _ = inspect(str(tmp_path / "doubts.csv"), "--type", "products")
    assert "but `Artikelnummer` may be meant as well" in shown


def test_it_fits_a_terminal_of_80_columns(inspect: Inspect, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    _, shown, _ = inspect(str(file), "--type", "products")
    assert "Artikelnummer" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_json_has_the_mapping_to_store(inspect: Inspect, file: Path) -> None:
    code, shown, _ = inspect(str(file), "--type", "products", "--json")
    found = json.loads(shown)
    assert (code, found["failed"], found["missing"]) == (0, 1, [])
    assert found["mapping"]["columns"][0] == {"column": "Artikelnummer", "field": "productId"}
    assert found["mapping"]["columns"][2] == {"column": "VK-Preis", "field": "unitPrice"}
    assert found["mapping"]["options"] == {"delimiter": ";", "encoding": "windows-1252"}


def test_a_type_of_your_own_is_declared_in_a_file(inspect: Inspect, tmp_path: Path) -> None:
    declaration = tmp_path / "type.json"
    fields = [{"id": "sku", "type": "text"}, {"id": "colour", "type": "text", "label": "Farbe"}]
    declaration.write_text(json.dumps({"key": "sku", "fields": fields}))
    file = tmp_path / "things.csv"
    file.write_text("SKU,Farbe\n1,rot\n")
    _, shown, _ = inspect(str(file), "--type", "things", "--declaration", str(declaration), "--json")
    assert [each["field"] for each in json.loads(shown)["columns"]] == ["sku", "colour"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing.csv", "--type", "contacts"), "The file nothing.csv cannot be read: No such file or directory"),
        (("README.md",), "Missing option '--type'"),
        (("README.md", "--type", "nothing"), '"nothing" is no built-in type, and no service is asked. Save'),
        (("README.md", "--type", "contacts", "--delimiter", "x"), "`delimiter` must be one of"),
        (("README.md", "--type", "contacts", "--encoding", "x"), "`encoding` must be one of"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(inspect: Inspect, arguments: tuple[str, ...], told: str) -> None:
    code, shown, said = inspect(*arguments)
    assert (code, shown) == (2, "")
    assert said.startswith(f"sluice: {told}")
    assert said.count("\n") == 1
