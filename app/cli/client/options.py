"""Options that all commands share which speak with a service."""

import os
import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_URL: Final = "http://127.0.0.1:8000"

Url = Annotated[str, typer.Option("--url", envvar="SLUICE_URL", help="Address of the service")]
Key = Annotated[
    str,
    typer.Option("--key", envvar="SLUICE_KEY", show_default=False, help="API key, id:secret; safer in SLUICE_KEY"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's JSON and nothing else")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many to show at most")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write to; default: standard output")]


def command_for(command: str, *arguments: str, url: str) -> str:
    """A command to go on with, for people to copy. The address is in it if the command would look elsewhere."""
    elsewhere = () if url == os.environ.get("SLUICE_URL", DEFAULT_URL) else ("--url", url)
    return shlex.join(("sluice", *command.split(), *arguments, *elsewhere))
