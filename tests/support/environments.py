"""Environments of their own for clients of the service: installed from locks once a machine, then used again."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice-tests"
LOCKS = Path(__file__).resolve().parents[1] / "sdk"
COMPLETE = ".complete"
SECONDS = 280
LONGEST_SHOWN = 12_000
# Variables that would let a program find other packages than those of its environment.
NOT_THEIRS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NODE_PATH", "NODE_OPTIONS")

needs_node = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="needs Node.js and npm, which this machine lacks"
)


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what points a program to other packages than its own."""
    return {name: value for name, value in os.environ.items() if name not in NOT_THEIRS} | more


def python(name: str, told: pytest.Config) -> Path:
    """The interpreter of an environment with what tests/sdk/requirements/<name>.txt locks. Blocking; needs an index."""
    lock = LOCKS / "requirements" / f"{name}.txt"
    folder = place(name, lock.read_bytes(), sys.version, sys.base_prefix)
    interpreter = folder / "bin" / "python"
    uv, locked = [sys.executable, "-m", "uv"], ["--require-hashes", "-r", str(lock)]
    steps = [
        [*uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)],
        [*uv, "pip", "install", "-q", "--compile-bytecode", "--python", str(interpreter), *locked],
    ]
    make(folder, steps, told)
    return interpreter


def node(name: str, told: pytest.Config) -> Path:
    """The node_modules with what tests/sdk/node/<name> locks. Blocking; needs npm and a registry."""
    source = LOCKS / "node" / name
    files = ("package.json", "package-lock.json")
    folder = place(name, *((source / file).read_bytes() for file in files))
    steps = [["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]]
    make(folder, steps, told, copied=[source / file for file in files])
    return folder / "node_modules"


def place(name: str, *decides: bytes | str) -> Path:
    """A folder for each state of the locks: a changed lock gets another one, and none is ever changed."""
    seal = hashlib.sha256()
    for each in decides:
        seal.update(each if isinstance(each, bytes) else each.encode())
    return CACHE / f"{name}-{seal.hexdigest()[:12]}"


def make(folder: Path, steps: Sequence[Sequence[str]], told: pytest.Config, copied: Sequence[Path] = ()) -> None:
    """Makes an environment unless it is there in whole; of several processes one makes it, the others wait."""
    with alone(folder):
        if (folder / COMPLETE).exists():
            return
        say(told, f"Installing {folder.name} for the tests, once a machine: {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in copied:
            shutil.copy(file, folder)
        for step in steps:
            run(step)
        (folder / COMPLETE).touch()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(told: pytest.Config, line: str) -> None:
    """On the terminal at once: an installation may take a minute, and pytest would keep its words to itself."""
    with told.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{line}", file=sys.stderr, flush=True)


def run(command: Sequence[str], *, folder: Path | None = None, **variables: str) -> str:
    """What a command prints, run in a folder. Raises AssertionError with all that it said. Blocking."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = f"{done.stdout}\n{done.stderr}"[-LONGEST_SHOWN:]
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{said}"
    return done.stdout
