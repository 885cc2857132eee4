"""Writes the reference page of the command line, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from app.cli import cli
from docs.generate.markdown import cell, code, page, sentence, table

EXIT_CODES = {
    "up": "0 after Ctrl-C or SIGTERM, 2 when it cannot start",
    "demo": "0 when all counts are as expected, else 1",
    "emulate": "0 after Ctrl-C or SIGTERM, 2 when it cannot start",
    "api": "143 after SIGTERM, 2 for a missing or wrong setting, 3 when PostgreSQL or Redis does not answer at the start",
    "worker": "0 after SIGTERM, 1 when PostgreSQL or Redis does not answer at the start or Redis goes away, 2 for a missing or "
    "wrong setting",
    "import": "0 when all rows went in, 1 when some failed, 2 when none did or the import was refused, 130 after Ctrl-C",
    "export": "0 when the file is written and delivered, 1 when the service refused it or a destination failed, 2 for anything "
    "else, 130 after Ctrl-C",
    "commit": "0 when all rows went in, 1 when some failed, 2 when none did or it was refused or halted, 130 after Ctrl-C",
    "rerun": "0 when all rows went in, 1 when some failed, 2 when none did or the import was refused, 130 after Ctrl-C",
    "retry": "0 when all rows went in, 1 when some failed, 2 when none did or the import was refused, 130 after Ctrl-C",
    "correct": "0 when all rows went in, 1 when some failed, 2 when none did or the corrections were refused, 130 after Ctrl-C",
    "imports watch": "0 when all rows went in, 1 when some failed, 2 when the import failed or cannot be watched, 130 after Ctrl-C",
    "connections test-import": "0 when it works, 1 when it does not or the service refused to test it, 2 for anything else",
    "connections test-export": "0 when it works, 1 when it does not or the service refused to test it, 2 for anything else",
    "connections import": "0 when all imports were started, 1 when some found no room or the service refused them, 2 for anything else",
    "syncs test": "0 when it works, 1 when it does not or the service refused to test it, 2 for anything else",
    "webhook test": "0 when the receiver has taken the message, 1 when it has not or the service refused it, 2 for anything else",
    "vault rotate": "0, 1 when none of the keys decrypts some of the credentials, 2 for anything else",
}
OTHERS = "0, or 2 when something went wrong"
CLIENTS = (
    "results",
    "failed-values",
    "cancel",
    "undo",
    "history",
    "imports",
    "exports",
    "runs",
    "records",
    "types",
    "mappings",
    "account",
    "coupon-sets",
    "connections",
    "schedules",
    "syncs",
    "feeds",
    "webhook",
)
OTHER_CLIENTS = "0, 1 when the service refused it, 2 for anything else"


def commands() -> str:
    intro = """
`sluice` is the one command. `import`, `commit`, `rerun`, `failed-values`, `correct`, `cancel`, `undo`, `history`, `export`, `imports`, `exports`, `runs`, `records`, `types`, `mappings`, `account`, `coupon-sets`, `connections`, `schedules`, `syncs`, `feeds` and `webhook` speak with a service
over HTTP; [From the command line](../guides/command-line.md) shows how they are used. `inspect` needs no service, and the others
run one. Whatever goes wrong is
one line on standard error that begins with `sluice:`. `sluice COMMAND -h` shows the same as this page.
"""
    return page("Command line", intro, *(command(name, each) for name, each in all_commands()), NOTES)


NOTES = """
## Where commands look

Commands that speak with a service take its address from `--url` or `SLUICE_URL`, and the key from `--key` or `SLUICE_KEY`. Ctrl-C
while `sluice import` waits ends the waiting, not the import. The `key` and `vault` commands use the database that the
[settings](settings.md) name, or with `--data` a running `sluice up`.

## What commands print

Commands that run the service log to standard error. When `sluice up` is ready but a part that `/readyz` looks at is not, a line says
which one.
"""


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, `key create`."""
    yield from below(typer.main.get_command(cli), "")


def below(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in group.commands:
        each = group.load(name) if hasattr(group, "load") else group.commands[name]
        if hasattr(each, "commands"):
            yield from below(each, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", each


def command(name: str, each: Any) -> str:
    arguments = [parameter for parameter in each.params if parameter.param_type_name == "argument"]
    usage = " ".join(["sluice", name, *map(placeholder, arguments)])
    parts = [f"## sluice {name}", f"```text\n{usage}\n```", " ".join((each.help or "").split("\n\n")[0].split())]
    parts += [" ".join(part.split()) for part in (each.help or "").split("\n\n")[1:]]
    options = [each for each in each.params if each.param_type_name == "option" and each.name != "help"]
    rows = [(spelled(each), shown_default(each), sentence(each.help or "")) for each in options]
    rows = [(code(placeholder(each)), "", sentence(each.help or "")) for each in arguments] + rows
    parts += [table(("Option", "Default", "Meaning"), rows)] if rows else []
    parts += [f"Exit code: {exit_codes(name)}."]
    return "\n\n".join(parts)


def exit_codes(name: str) -> str:
    return EXIT_CODES.get(name) or (OTHER_CLIENTS if name.partition(" ")[0] in CLIENTS else OTHERS)


def placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def spelled(parameter: Any) -> str:
    return ", ".join(code(each) for each in (*parameter.opts, *parameter.secondary_opts))


def shown_default(parameter: Any) -> str:
    default = parameter.default
    if callable(default) or default in (None, "", (), []):
        return "required" if parameter.required else ""
    if parameter.is_flag:
        names = parameter.opts if default else parameter.secondary_opts
        return code(names[0]) if names else ""
    return code(cell(str(default)))
