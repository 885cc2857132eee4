"""Options that several commands share, the settings that they require, and how they run modules of ours."""

import os
import sys
from collections.abc import Iterable
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
Port = Annotated[int, typer.Option(help="Port to listen on", min=1, max=65_535)]

# Settings of glibc's allocator, measured on an API process that takes ten uploads of 50 MB at once. With an arena for
# every thread it held 13 MB more than with two. It held 3 MB more while the size from which a block goes back to the
# system at once could adapt itself. (The value is the one that glibc starts with; it would cost a worker time.)
ALLOCATOR = {
    "app.main": {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"},
    "workers": {"MALLOC_ARENA_MAX": "2"},
}

CODE_FOLDER = str(Path(app.__file__).resolve().parents[1])


class UsageError(SluiceError):
    """The command cannot run as it was called; the message says what to change."""


def load_settings(names: Iterable[str]) -> Settings:
    """The settings, of which these are required. Raises UsageError, which names the missing variables."""
    settings = Settings()
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
    """The environment for a module of ours: that of this process, the allocator's settings, and `more`."""
    paths = filter(None, (CODE_FOLDER, os.environ.get("PYTHONPATH")))
    return {**ALLOCATOR.get(module, {}), **os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
