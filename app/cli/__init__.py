"""The command `sluice`: the operator's and the integrator's verbs."""

import sys

import typer
from pydantic import ValidationError

from app.cli import client, demo, keys, parts, up

cli = typer.Typer(
    name="sluice",
    help="A self-hosted bulk-import service. Start with: sluice up",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("up")(up.up)
cli.command("demo")(demo.demo)
cli.command("import")(client.import_file)
cli.add_typer(keys.keys, name="key")
cli.add_typer(keys.vault, name="vault")
cli.command("api")(parts.api)
cli.command("worker")(parts.worker)
cli.command("migrate")(parts.migrate)


def main() -> None:
    """Run the command. Whatever goes wrong is one line on standard error, with exit code 2."""
    try:
        # By itself typer would draw a box around what is wrong with the arguments.
        ended = cli(standalone_mode=False)
    except Exception as trouble:  # noqa: BLE001 – a person at a terminal is not helped by a traceback
        if line := _in_one_line(trouble):
            print(f"sluice: {line}", file=sys.stderr)
        sys.exit(2)
    sys.exit(ended)


def _in_one_line(trouble: Exception) -> str:
    """Empty when there is nothing left to say: the help was shown, for want of a command."""
    if isinstance(trouble, typer.TyperException):
        return " ".join(trouble.format_message().split())
    if isinstance(trouble, ValidationError):
        first = trouble.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        return f"SLUICE_{name.upper()}: {first['msg']}"
    return " ".join(str(trouble).split()) or type(trouble).__name__
