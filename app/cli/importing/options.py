"""The options of `sluice import`, and the parts of the form that they become."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from app.cli.client.options import Command, add_options

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="CSV or JSON Lines, plain or as .gz; `-` for standard input. The service fetches an http:// or https:// "
        "address, and with --connection a path there",
        show_default=False,
    ),
]
Type = Annotated[str, typer.Option("--type", help="Record type: contacts, products, coupons or a type of your own")]
Delimiter = Annotated[
    str,
    typer.Option(
        "--delimiter", help="What separates the cells: comma, semicolon, tab, pipe, the character itself, or auto"
    ),
]
Override = Annotated[bool, typer.Option("--override/--no-override", help="Update existing records, or skip their rows")]
OnlyEmpty = Annotated[bool, typer.Option("--only-empty", help="In existing records, fill only empty fields")]
CouponSet = Annotated[
    str | None, typer.Option("--coupon-set", help="Coupon set to import into; required for --type coupons")
]
Format = Annotated[str | None, typer.Option("--format", help="csv or jsonl; default: found from name and content")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="How the file is encoded, such as windows-1252; default: utf-8")
]
BlankCells = Annotated[
    str | None,
    typer.Option(
        "--blank-cells", help="What an empty cell does: keep the field (the default), clear it, or store an empty text"
    ),
]
NullMarker = Annotated[
    str | None, typer.Option("--null-marker", help="A cell with this text leaves the field as it is")
]
Duplicates = Annotated[
    str | None,
    typer.Option("--duplicates", help="Which of several rows with one key counts: last (the default), first or error"),
]
UnknownColumns = Annotated[
    str | None,
    typer.Option("--unknown-columns", help="ignore, keep or error; default: what the type declares"),
]
MappingName = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        help="Name or id of a stored mapping template, whose type and options count where none is given; or default: "
        "headings are ids or labels of fields",
    ),
]
MappingFile = Annotated[
    str | None,
    typer.Option(
        "--mapping-file",
        help="File with a mapping as JSON: which column fills which field, and how its cells are converted; `-` for "
        "standard input",
    ),
]
Connection = Annotated[
    str | None, typer.Option("--connection", help="Name or id of the stored connection that has the file")
]
SourceFile = Annotated[
    str | None,
    typer.Option("--source", help="File with the JSON object that says where the file is; `-` for standard input"),
]
ImportName = Annotated[
    str | None, typer.Option("--name", help="What to call the import, for lists and to find it again")
]
FileName = Annotated[str, typer.Option("--file-name", help="Name of the file, for lists; default: its own, or stdin")]
WaitForRoom = Annotated[
    bool, typer.Option("--wait-for-room", help="While the queue is full, wait and try again instead of giving up")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the end")]

# What a file may do at most: each option with its type and its help.
BRAKE_OPTIONS: Final[Mapping[str, tuple[type, str]]] = {
    "max_errors": (int, "Halt if more rows fail"),
    "max_error_share": (float, "Halt if a larger share of all rows fails, such as 0.1"),
    "max_created": (int, "Halt if more records would be created"),
    "max_updated": (int, "Halt if more records would be changed"),
    "max_removed": (int, "Halt if more records would be removed"),
    "max_removed_share": (
        float,
        "Halt if a larger share of the records would be removed; default with --replace: 0.5",
    ),
    "min_rows": (int, "Halt if the file has fewer rows"),
}
# What a file may do as a whole, likewise. `add_file_options` gives them to a command.
FILE_OPTIONS: Final[Mapping[str, tuple[type, str]]] = {
    "mode": (str, "What to do with the records that rows name: write them (the default), or delete them"),
    "replace": (bool, "Replace the type: remove records that no row names, all in one transaction"),
    "dry_run": (bool, "Only show what the import would do, and wait for `sluice commit`"),
    "on_error": (
        str,
        "When a row fails: continue (the default); stop, with the rows before it written; rollback: nothing is written",
    ),
    "undoable": (bool, "Keep what was there before, so that the import can be undone (the default)"),
    "sheet": (str, "Of a workbook: name or number of the sheet; default: the first that is not hidden"),
    "if_same_file": (str, "If the file was imported before: allow (the default), report it, or refuse it"),
    **BRAKE_OPTIONS,
}
# Who is told of an import, likewise.
TELL_OPTIONS: Final[Mapping[str, tuple[type, str]]] = {
    "confirm_email": (str, "Address that gets a mail when the import has ended"),
    "webhook": (str, "Id of the webhook that is told when the import has ended or is held"),
}

DEFAULT_TYPE: Final = "contacts"

# Option -> part of the form.
PARTS: Final = {
    "type": "type",
    "import_name": "name",
    "delimiter": "delimiter",
    "override": "overrideExisting",
    "only_empty": "updateOnlyEmptyFields",
    "mode": "mode",
    "replace": "replace",
    "dry_run": "dryRun",
    "on_error": "onError",
    "undoable": "undoable",
    "coupon_set": "couponSetId",
    "format": "format",
    "encoding": "encoding",
    "sheet": "sheet",
    "blank_cells": "blankCells",
    "null_marker": "nullMarker",
    "duplicates": "duplicates",
    "unknown_columns": "unknownColumns",
    "max_errors": "maxErrors",
    "max_error_share": "maxErrorShare",
    "max_created": "maxCreated",
    "max_updated": "maxUpdated",
    "max_removed": "maxRemoved",
    "max_removed_share": "maxRemovedShare",
    "min_rows": "minRows",
    "if_same_file": "ifSameFile",
    "confirm_email": "confirmEmail",
    "webhook": "webhookId",
}


def add_file_options(command: Command) -> Command:
    """The command with FILE_OPTIONS and TELL_OPTIONS, which it finds in its context."""
    return add_options(command, {**FILE_OPTIONS, **TELL_OPTIONS})


def drop_defaults(context: typer.Context) -> dict[str, Any]:
    """The parameters without options that nobody gave: those of a mapping count more than our defaults."""
    sources = {name: context.get_parameter_source(name) for name in PARTS}
    unset = {name for name, source in sources.items() if source is not None and source.name == "DEFAULT"}
    return {name: None if name in unset else value for name, value in context.params.items()}


def pick_parts(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that were given, as they are in JSON."""
    return {part: options[option] for option, part in PARTS.items() if options.get(option) is not None}


def build_parts(options: Mapping[str, Any]) -> dict[str, str]:
    """The parts that were given, as they are in a form."""
    given = pick_parts(options)
    return {part: value if isinstance(value, str) else json.dumps(value) for part, value in given.items()}
