"""Options that all commands share which speak with a service."""

import os
import shlex
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

Command = Callable[..., None]

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


def add_options(command: Command, table: Mapping[str, tuple[type, str]]) -> Command:
    """The command with the options of a table: each with its type and its help. It finds them in its context, None if
    they were not given."""

    @wraps(command)
    def widened(**given: Any) -> None:
        command(**{name: value for name, value in given.items() if name not in table})

    options = {
        name: Annotated[kind | None, typer.Option(flag_of(name, kind), help=text)]
        for name, (kind, text) in table.items()
    }
    added = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=each) for name, each in options.items()]
    own = signature(command)
    widened.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    widened.__annotations__ = {**command.__annotations__, **options}
    return widened


def flag_of(name: str, kind: type) -> str:
    word = name.replace("_", "-")
    return f"--{word}/--no-{word}" if kind is bool else f"--{word}"
