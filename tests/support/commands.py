"""Commands of `sluice` in copies of one process that has loaded everything, which takes seconds each time."""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from app.cli import main

COPIES: Final = get_context("forkserver")
LOADED: Final = (
    "pytest",  # is the main module of the tests, and so of the copies
    "tests.support.commands",
    "app.cli.failures",
    "app.cli.keys.api",
    "app.cli.serving.parts",
    "app.cli.serving.up",
    "app.main",
    "workers.settings",
)


def without_settings() -> dict[str, str]:
    """This process's environment without settings of a service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}


def run_command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `sluice` with these arguments and settings to its end, at most 60 seconds."""
    with TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        command = begin_command(arguments, without_settings() | settings, stdout=stdout, stderr=stderr)
        command.join(60)
        assert command.exitcode is not None, stderr.read_text()
        return subprocess.CompletedProcess(arguments, command.exitcode, stdout.read_text(), stderr.read_text())


def begin_command(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: Path, stderr: Path
) -> ForkServerProcess:
    """Starts `sluice` with these arguments, and with files that get its output."""
    COPIES.set_forkserver_preload(list(LOADED))
    copy = COPIES.Process(target=become_command, args=(arguments, environment, stdout, stderr), daemon=True)
    copy.start()
    return copy


def become_command(arguments: Sequence[str], environment: Mapping[str, str], stdout: Path, stderr: Path) -> NoReturn:
    """In the copy: what Python does for `python -m app`, without loading it."""
    for path, descriptor in ((stdout, 1), (stderr, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    become_program("app", arguments, environment)
    main()
    raise AssertionError("the command has not ended with an exit code")


def become_program(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [name, *arguments]
    os.execve = run_module  # type: ignore[assignment]  # `sluice api` and `sluice worker` become another program


def run_module(executable: str, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Runs `python -P -m MODULE …` in this process."""
    module = command[command.index("-m") + 1]
    become_program(module, command[command.index(module) + 1 :], environment)
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)
