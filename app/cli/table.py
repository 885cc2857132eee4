"""The table of commands: each is listed by its summary, and its module is loaded only when it is called."""

from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

LONGEST_SUMMARY: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command or a group of commands: where it is, the first sentence of its help, and where the help lists it."""

    module: str
    name: str  # of a function, or of a Typer with commands of its own
    summary: str
    section: str


class CommandGroup(TyperGroup):
    """A group that shows its help when it is called without a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit(2)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  click's signature
        """Lists the commands in sections, with whole summaries: click would cut them to a line."""
        for section, items in groupby(self.commands.items(), key=lambda item: self.section_of(item[0])):
            with formatter.section(section):
                formatter.write_dl([(name, each.get_short_help_str(LONGEST_SUMMARY)) for name, each in items])

    def section_of(self, name: str) -> str:  # noqa: ARG002
        return "Commands"


class CommandTable(CommandGroup):
    """A group whose commands are entries. What the service needs takes two seconds to load, and clients need little."""

    entries: dict[str, CommandEntry]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name=name, help=entry.summary) for name, entry in self.entries.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, self.load(name) if name in self.entries else listed, rest

    def load(self, name: str) -> Any:
        """The command itself, with its options or its subcommands."""
        entry = self.entries[name]
        target = getattr(import_module(entry.module), entry.name)
        if isinstance(target, typer.Typer):
            target.info.cls, target.rich_markup_mode = CommandGroup, None
            group = typer.main.get_group(target)
            group.name, group.help = name, entry.summary
            return group
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(target)
        return typer.main.get_command(single)

    def section_of(self, name: str) -> str:
        return self.entries[name].section
