"""`sluice failed-values` and `sluice correct`, and the hints of a report."""

import json
from pathlib import Path

from tests.cli.conftest import Sluice

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal"},
        {"id": "day", "type": "date"},
    ],
}
FILE = "sku;price;day\nA;12,50;31.12.2026\nB;9,99;none\nC;n/a;2026-01-01\n"


def test_bad_values_are_listed_and_corrected(sluice: Sluice, tmp_path: Path) -> None:
    declaration, file = tmp_path / "wares.json", tmp_path / "wares.csv"
    declaration.write_text(json.dumps(TYPE))
    file.write_text(FILE)
    assert sluice("types", "put", "wares", str(declaration)).exit_code == 0
    first = sluice("import", str(file), "--type", "wares", "--delimiter", "semicolon", "--json")
    run_id = json.loads(first.stdout)["id"]

    listed = sluice("failed-values", run_id, "--column", "price", "--json").stdout
    assert {each["value"] for each in json.loads(listed)["results"]} == {"12,50", "9,99", "n/a"}
    shown = sluice("imports", "show", run_id).stdout
    assert "Hint: Numbers in `price` have a decimal comma. Read them with `decimalComma`\n" in shown

    hinted = sluice("correct", run_id, "--hints", "--value", "day:none=", "--value", "price:n/a=1", "--json")
    assert hinted.exit_code == 0, hinted.stderr
    child = json.loads(hinted.stdout)
    assert (child["parentId"], child["relation"], child["created"]) == (run_id, "correction", 3)
    # Its rows are in that correction: the same file again has rows of its own.
    second = sluice("import", str(file), "--type", "wares", "--delimiter", "semicolon", "--json")
    run_id = json.loads(second.stdout)["id"]
    by_hand = ("--decimal-comma", "price", "--date-format", "day:DD.MM.YYYY", "--ignore", "day", "--name", "Again")
    again = sluice("correct", run_id, *by_hand, "--json")
    assert (again.exit_code, json.loads(again.stdout)["name"]) == (1, "Again")  # n/a is still no number

    wrong = sluice("correct", run_id, "--value", "price")
    assert (wrong.exit_code, wrong.stderr.startswith('sluice: "price" must have a column')) == (2, True)
    nothing = sluice("correct", run_id)
    assert (nothing.exit_code, nothing.stderr.startswith("sluice: Say what to correct: --value")) == (2, True)
    unhinted = sluice("correct", json.loads(again.stdout)["id"], "--hints")
    assert (unhinted.exit_code, unhinted.stderr.startswith("sluice: No hint of this import proposes")) == (2, True)
    refused = sluice("correct", run_id, "--ignore", "prices")
    assert refused.exit_code == 2
    assert "Did you mean `price`?" in refused.stderr
