"""A command that is called wrongly says so as it says everything that goes wrong: in one line, with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sluice(*arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(command, env=clean, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("called", "told"),
    [
        (("key", "create"), "Missing option '--account'"),
        (("up", "--port", "x"), "Invalid value for '--port'"),
        (("up", "--nosuch"), "No such option: --nosuch"),
        (("nosuch",), "No such command 'nosuch'"),
        (("import",), "Missing argument 'FILE'"),
        (("import", "people.csv"), "No key: Give a key by --key or in SLUICE_KEY"),
        (("import", "people.csv", "--key", "a:b", "--url", "ftp://x"), "Not an address: ftp://x"),
        (
            ("import", str(ROOT / "README.md"), "--key", "a:b", "--url", "http://127.0.0.1:1"),
            "No answer: http://127.0.",
        ),
    ],
)
def test_a_command_that_is_called_wrongly_says_so_in_one_line(called: tuple[str, ...], told: str) -> None:
    refused = sluice(*called)

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"sluice: {told}")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("group", [(), ("key",), ("vault",)])
def test_without_a_command_the_help_is_shown(group: tuple[str, ...]) -> None:
    shown = sluice(*group)

    assert shown.returncode == 2
    assert "Usage: " in shown.stdout
    assert shown.stderr == ""


def test_help_is_no_failure() -> None:
    assert sluice("up", "--help").returncode == 0
