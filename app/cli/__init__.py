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
        cli()
    except Exception as trouble:  # noqa: BLE001 – a person at a terminal is not helped by a traceback
        print(f"sluice: {_in_one_line(trouble)}", file=sys.stderr)
        sys.exit(2)


def _in_one_line(trouble: Exception) -> str:
    if isinstance(trouble, ValidationError):
        first = trouble.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        return f"SLUICE_{name.upper()}: {first['msg']}"
    return " ".join(str(trouble).split()) or type(trouble).__name__
