"""The command `sluice` and its subcommands."""

import sys

import typer
from pydantic import ValidationError

from app.cli import demo, keys
from app.cli.importing import command
from app.cli.serving import parts, up
from app.errors import name_subject

cli = typer.Typer(
    name="sluice",
    help="A self-hosted bulk-import service. Start with: sluice up",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("up")(up.up)
cli.command("demo")(demo.demo)
cli.command("import")(command.import_file)
cli.add_typer(keys.keys, name="key")
cli.add_typer(keys.vault, name="vault")
cli.command("api")(parts.api)
cli.command("worker")(parts.worker)
cli.command("migrate")(parts.migrate)


def main() -> None:
    """Runs the command. Whatever goes wrong is reported in one line on stderr, with exit code 2."""
    try:
        # In standalone mode typer would draw a box around an error in the arguments.
        exit_code = cli(standalone_mode=False)
    except Exception as error:  # noqa: BLE001  a traceback does not help a person at a terminal
        if line := _format_error(error):
            print(f"sluice: {line}", file=sys.stderr)
        sys.exit(2)
    sys.exit(exit_code)


def _format_error(error: Exception) -> str:
    """The error in one line; empty if there is nothing to report: the help was shown, because no command was given."""
    if isinstance(error, typer.TyperException):
        return " ".join(error.format_message().split())
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        return name_subject(f"SLUICE_{name.upper()}", first["msg"]).replace("`", "")
    return " ".join(str(error).split()) or type(error).__name__
