"""Options that several commands share, the settings that they require, and how they run modules of ours."""

import difflib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import app
from app.errors import SluiceError
from app.settings import Settings

Data = Annotated[
    Path | None,
    typer.Option(
        help="Data folder of the instance on this machine; default: SLUICE_DATA, or else .sluice", show_default=False
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for access from other machines")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 for any free one", min=0, max=65_535)]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until the servers answer and the schema fits, instead of failing")
]
# What begins as settings do, but is read by clients and by deploy/compose.
ALIKE = 0.85  # from 0 to 1; all begin alike
OTHER_VARIABLES = ("SLUICE_BIND", "SLUICE_KEY", "SLUICE_PORT", "SLUICE_URL")

# Settings of glibc's allocator and of Python, measured on an API process that takes ten uploads at once. With an arena
# for every thread it held 13 MB more than with two. Without the threshold, from which on a block goes back to the
# system at once, what was held of each upload leaves gaps: 3 to 20 MB more, by chance. (It would cost a worker time.)
# What Python keeps to underline a part of a line in a traceback, which no log shows, is 1 MB.
MEMORY = {
    "app.main": {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "32768", "PYTHONNODEBUGRANGES": "1"},
    "workers": {"MALLOC_ARENA_MAX": "2", "PYTHONNODEBUGRANGES": "1"},
}

CODE_FOLDER = str(Path(app.__file__).resolve().parents[1])


class UsageError(SluiceError):
    """The command cannot run as it was called; the message says what to change."""


def read_settings() -> Settings:
    """The settings of the environment. Variables that look like settings and are none are told on stderr."""
    settings = Settings()
    known = [f"SLUICE_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith("SLUICE_") and name not in (*known, *OTHER_VARIABLES):
            near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
            hint = f". Did you mean {near[0]}?" if near else ""
            print(f"sluice: {name} is not a setting and is ignored{hint}", file=sys.stderr)
    return settings


def load_settings(names: Iterable[str]) -> Settings:
    """The settings, of which these are required. Raises UsageError, which names the missing variables."""
    settings = read_settings()
    missing = [f"SLUICE_{name.upper()}" for name in names if not getattr(settings, name)]
    if missing:
        *others, last = missing
        names = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(f"{names} must be set. To run everything on this machine, use: sluice up")
    return settings


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours. Without -P an `app` in the current folder would be taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment(module: str, **more: str) -> dict[str, str]:
    """The environment for a module of ours: that of this process, the settings of memory, and `more`."""
    paths = filter(None, (CODE_FOLDER, os.environ.get("PYTHONPATH")))
    return {**MEMORY.get(module, {}), **os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


@contextmanager
def temporary_data(prefix: str) -> Iterator[Path]:
    """The path of a data folder, of which nothing is left at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix) as path:
        # Root runs PostgreSQL as another user, who must be able to enter the folder. The data folder protects itself.
        Path(path).chmod(0o711)
        yield Path(path, "data")
