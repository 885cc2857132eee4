"""The options of `sluice export`, and the request that they make."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.failures import request_failed
from app.cli.client.files import read_json_file
from app.cli.client.mappings import choose_mapping

Type = Annotated[str, typer.Argument(metavar="TYPE", help="contacts, products, or another type of the account")]
ExportName = Annotated[str | None, typer.Option("--name", help="What to call the export, for lists")]
Destinations = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="CONNECTION:PATH",
        help="Deliver the file over a stored connection: `warehouse:/out/{type}-{date}.csv`. May be repeated",
    ),
]
MappingName = Annotated[
    str | None,
    typer.Option(
        "--mapping", help="Name or id of a mapping template, whose columns the file gets; default: every field"
    ),
]
MappingFile = Annotated[
    str | None, typer.Option("--mapping-file", help="File with a mapping as JSON; `-` for standard input")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Only records that meet this: `price>=10`, `tags in new,sale`, `name isEmpty`. May be repeated",
    ),
]
Fields = Annotated[str | None, typer.Option("--fields", help="Only these fields, `email,name`")]
RecordKeys = Annotated[str | None, typer.Option("--keys", help="Only the records with these keys, `A1,A2`")]
UpdatedSince = Annotated[
    str | None, typer.Option("--updated-since", help="Only records changed since, such as 2026-11-27T10:00:00Z")
]
CreatedSince = Annotated[str | None, typer.Option("--created-since", help="Only records created since")]
ImportId = Annotated[str | None, typer.Option("--import", help="Only records that this import changed last, by its id")]
Format = Annotated[str | None, typer.Option("--format", help="csv or jsonl; default: csv")]
Delimiter = Annotated[str | None, typer.Option("--delimiter", help="comma, semicolon, tab or pipe; default: comma")]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Default: utf-8")]
Gzip = Annotated[bool, typer.Option("--gzip", help="Compress the file")]
Neutralize = Annotated[
    bool, typer.Option("--neutralize", help="Put an apostrophe before text that a spreadsheet would take for a formula")
]

# Option -> member of the request, and of its filter.
MEMBERS: Final = {
    "name": "name",
    "format": "format",
    "delimiter": "delimiter",
    "encoding": "encoding",
    "gzip": "gzip",
}
FILTERS: Final = {"updated_since": "updatedSince", "created_since": "createdSince", "import_id": "importId"}
NARROWING: Final = {
    "mapping": "--mapping",
    "fields": "--fields",
    "keys": "--keys",
    "updated_since": "--updated-since",
    "created_since": "--created-since",
    "import_id": "--import",
}
LISTS: Final = {"fields": "fields", "keys": "keys"}

_match_condition = re.compile(
    r"\s*(?P<field>[^\s=!<>]+)\s*(?:(?P<operator>!=|<=|>=|=|<|>)(?![=!<>])\s*(?P<value>.*?)|\s(?P<set>in)\s+(?P<values>.+?)"
    r"|\s(?P<empty>isEmpty)(?:\s+(?P<flag>true|false))?)\s*",
    re.DOTALL,
).fullmatch


def build_body(client: httpx.Client, given: Mapping[str, Any]) -> dict[str, object]:
    """The request that the options ask for. Raises RequestFailed."""
    if given["mapping"] and given["mapping_file"]:
        raise typer.TyperException("Use either --mapping or --mapping-file")
    for option, flag in NARROWING.items():
        if given[option] is not None and not given[option].strip():  # a variable of a script that is not set
            raise request_failed("Empty", f"{flag} must not be empty. Leave it out if it is not to limit the export")
    body: dict[str, object] = {"type": given["type"]}
    body |= {member: given[option] for option, member in MEMBERS.items() if given[option]}
    if given["neutralize"]:
        body["formulas"] = "neutralize"
    if given["mapping"]:
        body["mappingId"] = choose_mapping(client, given["mapping"], given["type"])["mappingId"]
    if given["mapping_file"]:
        mapping = read_json_file(Path(given["mapping_file"]))
        body["mapping"] = {name: value for name, value in mapping.items() if name not in ("name", "type")}
    if given["to"]:
        body["destinations"] = [build_destination(client, each) for each in given["to"]]
    wanted = build_filter(given)
    return body | ({"filter": wanted} if wanted else {})


def build_destination(client: httpx.Client, text: str) -> dict[str, object]:
    """Raises RequestFailed."""
    connection, colon, path = text.partition(":")
    if not colon:
        raise request_failed("Not a destination", f'--to "{text}" must look like `warehouse:/out/{{date}}.csv`')
    return {"connectionId": find_connection(client, connection)["id"], "path": path}


def build_filter(given: Mapping[str, Any]) -> dict[str, object]:
    wanted: dict[str, object] = {member: given[option] for option, member in FILTERS.items() if given[option]}
    wanted |= {member: split_list(given[option]) for option, member in LISTS.items() if given[option]}
    conditions = parse_conditions(given["where"] or ())
    return wanted | ({"where": conditions} if conditions else {})


def parse_conditions(texts: Sequence[str]) -> list[dict[str, object]]:
    return [parse_condition(text) for text in texts]


def parse_condition(text: str) -> dict[str, object]:
    """Raises RequestFailed."""
    match = _match_condition(text)
    if match is None:
        detail = f'--where "{text}" must look like `price>=10`, `tags in new,sale` or `name isEmpty`'
        raise request_failed("Not a condition", detail)
    condition: dict[str, object] = {"field": match["field"]}
    if match["set"]:
        return condition | {"operator": "in", "value": split_list(match["values"])}
    if match["empty"]:
        return condition | {"operator": "isEmpty", "value": match["flag"] != "false"}
    return condition | {"operator": match["operator"], "value": match["value"]}


def split_list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",")]
