"""The programs in `examples/` end well when the import has, and with an exit code and the reason when it has not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = {"sh": ["sh", str(EXAMPLES / "contacts.sh")], "python": [sys.executable, str(EXAMPLES / "contacts.py")]}


def run(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        PROGRAMS[program], env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_import_with_bad_rows_ends_and_shows_them(environment: dict[str, str], program: str) -> None:
    done = run(program, environment)
    assert done.returncode == 0, done.stderr
    assert "is not a valid e-mail address" in done.stdout
    if program == "sh":
        created, ended = map(json.loads, done.stdout.splitlines()[:2])
        assert (created["id"], ended["status"], ended["errors"]) == (ended["id"], "finished", 12)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_halted_import_is_not_waited_for(environment: dict[str, str], program: str) -> None:
    headers = {"Authorization": f"apiKey {environment['SLUICE_KEY']}"}
    limit = {"maxErrors": 3}
    httpx.put(f"{environment['SLUICE_URL']}/account/defaults", headers=headers, json=limit).raise_for_status()
    done = run(program, environment)
    assert done.returncode == 1
    assert "maxErrors" in done.stdout + done.stderr
