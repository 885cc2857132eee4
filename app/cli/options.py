"""What several commands share: their options, and the settings each of them needs."""

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
    typer.Option(help="Folder of the instance on this machine. Default: SLUICE_DATA, else .sluice", show_default=False),
]
Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in")]
Port = Annotated[int, typer.Option(help="Port to listen on", min=1, max=65_535)]

# How glibc keeps the memory of a program. Measured on an API process that takes ten uploads of 50 MB at once: with an
# arena for every thread it held 13 MB more than with two, and 3 MB more where the size from which a block goes back to
# the system at once was left to adapt itself. (This is the size that it starts with; a worker would lose time by it.)
ALLOCATOR = {
    "app.main": {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"},
    "workers": {"MALLOC_ARENA_MAX": "2"},
}

WHERE_CODE_IS = str(Path(app.__file__).resolve().parents[1])


class Misused(SluiceError):
    """The command cannot run as it was called; the text says what to give."""


def settings_with(names: Iterable[str]) -> Settings:
    """The settings, of which these must be set. Raises Misused, naming the variables."""
    settings = Settings()
    missing = [f"SLUICE_{name.upper()}" for name in names if not getattr(settings, name)]
    if missing:
        raise Misused(f"{' and '.join(missing)} must be set (or run everything on this machine with: sluice up)")
    return settings


def module_command(module: str, *arguments: str) -> list[str]:
    """How to run one of our modules. Without -P an `app` folder where the user stands would be taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment(module: str, **more: str) -> dict[str, str]:
    """What a module of ours is run with: what this process has, and `more`."""
    paths = filter(None, (WHERE_CODE_IS, os.environ.get("PYTHONPATH")))
    return {**ALLOCATOR.get(module, {}), **os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
