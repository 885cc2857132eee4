"""`sluice mappings …`: lists, shows, stores and deletes mapping templates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.failures import RequestFailed
from app.cli.client.files import download, read_json_file
from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.mappings import find_template
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Output, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages, print_table

mappings = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the mapping template")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the mapping template")]
MappingFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="JSON file with a mapping, or what `sluice inspect --json` printed; `-` for standard input",
    ),
]
Type = Annotated[str | None, typer.Option("--type", help="Record type that the mapping template is for")]

LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("TYPE", "type", cut=True),
    TableColumn("COLUMNS", "columns", number=True),
    TableColumn("UPDATED", "updatedAt", show=show_time, spare=True),
)
PLACES: Final = ("column", "position", "field", "ignore")
COLUMNS: Final = (
    TableColumn("COLUMN", lambda each: each.get("column") or f"Column {each['position'] + 1}", cut=True),
    TableColumn("FIELD", lambda each: each.get("field") or "(ignored)", cut=True),
    TableColumn(
        "CONVERSIONS",
        lambda each: show_members({name: value for name, value in each.items() if name not in PLACES}),
        cut=True,
    ),
)


@mappings.command("list")
def list_mappings(
    *, type: Type = None, limit: Limit = 100, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """List the stored mapping templates, ordered by name."""
    filters: dict[str, Any] = {"type": type} if type else {}
    with connect(url, key, as_json=as_json) as client:
        print_pages(LISTED, fetch_pages(client, "mappings", limit=limit, **filters), as_json=as_json)


@mappings.command("show")
def show_mapping(
    name: NameOrId, *, type: Type = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Show a mapping template with all of its columns."""
    with connect(url, key, as_json=as_json) as client:
        template = get_object(client, build_path("mappings", find_template(client, name, type)["id"]))
        print_template(template, as_json=as_json)


def print_template(template: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(template)
        return
    facts = {
        "ID": template["id"],
        "Name": template["name"],
        "Type": template["type"],
        "Header": template["hasHeader"],
        "Constants": show_members(template.get("constants")),
        "Options": show_members(template.get("options")),
        "Updated": show_time(template["updatedAt"]),
    }
    print_facts(facts)
    print_line("")
    print_table(COLUMNS, template["columns"])


@mappings.command("put")
def put_mapping(
    name: NewName,
    file: MappingFile,
    *,
    type: Type = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Store a mapping template under a name, or replace the one with that name."""
    given = read_json_file(file)
    inspected = given.get("mapping")
    body = {**(inspected if isinstance(inspected, dict) else given), "name": name}
    if type:
        body["type"] = type
    with connect(url, key, as_json=as_json) as client:
        print_template(read_object(store(client, body)), as_json=as_json)


def store(client: httpx.Client, body: Mapping[str, Any]) -> httpx.Response:
    """Creates the template, or replaces the one with its name and type. Raises RequestFailed."""
    try:
        return request(client, "POST", "mappings", json=body)
    except RequestFailed as failure:
        if failure.body.get("code") != "name_taken":
            raise
    stored = find_template(client, body["name"], body["type"])
    return request(client, "PUT", build_path("mappings", stored["id"]), json=body)


@mappings.command("sample")
def save_sample(
    name: NameOrId, *, type: Type = None, output: Output = None, url: Url = DEFAULT_URL, key: Key = ""
) -> None:
    """Download a small CSV file that imports with a mapping template."""
    with connect(url, key) as client:
        download(client, build_path("mappings", find_template(client, name, type)["id"], "sample.csv"), output)


@mappings.command("delete")
def delete_mapping(
    name: NameOrId, *, type: Type = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Delete a mapping template. Imports that were accepted with it go on."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", build_path("mappings", find_template(client, name, type)["id"]))
    if not as_json:
        print_line(f"Mapping template {name} is deleted")
