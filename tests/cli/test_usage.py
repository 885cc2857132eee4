"""A command that is called wrongly says so as it says everything that goes wrong: in one line, with exit code 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import typer

from app.cli import COMMANDS, cli, main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sluice(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command in this process: each start of one costs a second."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["sluice", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


@pytest.mark.parametrize(
    ("called", "told"),
    [
        (("key", "create"), "Missing option '--account'"),
        (("up", "--port", "x"), "`--port` must be a whole number\n"),
        (("up", "--port", "70000"), "`--port` must be at most 65535\n"),
        (("imports", "list", "--limit", "0"), "`--limit` must be at least 1\n"),
        (("up", "--nosuch"), "No such option: --nosuch"),
        (("nosuch",), "No such command 'nosuch'"),
        (("import",), "Missing argument 'FILE'"),
        (("import", "people.csv"), "An API key is required. Set SLUICE_KEY or use --key"),
        (("import", "people.csv", "--key", "a:b", "--url", "ftp://x"), "The address ftp://x does not look like"),
        (
            ("import", str(ROOT / "README.md"), "--key", "a:b", "--url", "http://127.0.0.1:1"),
            "The service at http://127.0.",
        ),
    ],
)
def test_a_command_that_is_called_wrongly_says_so_in_one_line(
    sluice: Callable[..., int], capsys: pytest.CaptureFixture[str], called: tuple[str, ...], told: str
) -> None:
    assert sluice(*called) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"sluice: {told}")
    assert said.count("\n") == 1


@pytest.mark.parametrize("group", [(), ("key",), ("vault",)])
def test_without_a_command_the_help_is_shown(
    sluice: Callable[..., int], capsys: pytest.CaptureFixture[str], group: tuple[str, ...]
) -> None:
    assert sluice(*group) == 2
    shown = capsys.readouterr()
    assert "Usage: " in shown.out
    assert shown.err == ""


def test_help_is_no_failure_and_python_m_app_is_the_command() -> None:
    shown = subprocess.run([sys.executable, "-m", "app", "up", "--help"], cwd=ROOT, capture_output=True, check=True)
    assert b"Usage: " in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_begins_with_the_summary_that_lists_it(name: str) -> None:
    command = typer.main.get_command(cli).load(name)  # type: ignore[attr-defined]

    assert " ".join((command.help or "").split("\n\n")[0].split()).rstrip(".") == COMMANDS[name].summary


@pytest.mark.parametrize("called", [("-h",), ("key", "-h"), ("import", "-h"), ("--help",)])
def test_minus_h_is_help_everywhere(
    sluice: Callable[..., int], capsys: pytest.CaptureFixture[str], called: tuple[str, ...]
) -> None:
    assert sluice(*called) == 0
    assert "Usage: sluice" in capsys.readouterr().out


def test_the_version_is_shown(sluice: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert sluice("--version") == 0
    assert capsys.readouterr().out == f"sluice {metadata.version('sluice')}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("i", {"import", "imports", "inspect"}),
        ("imports ", {"list", "show", "watch", "problems", "changes", "columns", "failed-rows", "delete"}),
        ("imports list --st", {"--status"}),
    ],
)
def test_a_shell_is_told_how_to_go_on(typed: str, offered: set[str]) -> None:
    words = f"sluice {typed}"
    asked = {"_SLUICE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [str(Path(sys.executable).with_name("sluice"))]
    told = subprocess.run(command, env=os.environ | asked, capture_output=True, check=True, text=True)

    assert set(told.stdout.split()) == offered


def test_help_loads_nothing_of_the_service() -> None:
    """It would take two seconds instead of a fifth of one."""
    program = "import sys; from app.cli import cli; cli(['-h'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)

    loaded = set(shown.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"sqlalchemy", "fastapi", "pydantic", "httpx", "rich", "app.settings", "app.cli.demo"})
