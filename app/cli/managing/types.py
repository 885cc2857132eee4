"""`sluice types …`: lists, shows, declares and deletes record types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.cli.client.files import download, read_json_file
from app.cli.client.http import build_path, connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Output, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_members
from app.cli.client.tables import TableColumn, print_table

types = typer.Typer()

TypeName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the record type")]
Declaration = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON file with the declaration; `-` for standard input")
]

LISTED: Final = (
    TableColumn("NAME", "name", cut=True),
    TableColumn("KEY", "key", cut=True),
    TableColumn("FIELDS", lambda each: len(each["fields"]), number=True),
    TableColumn("BUILT IN", "builtIn"),
    TableColumn("UNKNOWN COLUMNS", "unknownColumns"),
)
LIMITS: Final = ("min", "max", "maxLength", "options", "to")


def pick_limits(field: Mapping[str, Any]) -> dict[str, Any]:
    """What limits the values of a field: all of it that is set."""
    return {name: field[name] for name in LIMITS if field.get(name) not in (None, [])}


FIELDS: Final = (
    TableColumn("FIELD", "id", cut=True),
    TableColumn("LABEL", "label", cut=True, spare=True),
    TableColumn("TYPE", "type"),
    TableColumn("REQUIRED", "required"),
    TableColumn("LIMITS", lambda field: show_members(pick_limits(field)), cut=True),
)
FAMILIES: Final = (TableColumn("PATH", "path", cut=True), TableColumn("TYPE", "type"))


@types.command("list")
def list_types(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the record types that can be imported: the built-in ones and the account's own."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "types")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@types.command("show")
def show_type(name: TypeName, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a record type with all of its fields."""
    with connect(url, key, as_json=as_json) as client:
        print_type(get_object(client, build_path("types", name)), as_json=as_json)


def print_type(declared: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(declared)
        return
    keys = " or ".join(declared.get("keys") or [declared["key"]])
    keys += ", generated where it is blank" if declared.get("generateKey") else ""
    print_facts({"Name": declared["name"], "Key": keys, "Unknown columns": declared["unknownColumns"]})
    for columns, members in ((FIELDS, declared["fields"]), (FAMILIES, declared.get("families"))):
        if members:
            print_line("")
            print_table(columns, members)


@types.command("put")
def put_type(
    name: TypeName, file: Declaration, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Declare a record type, or change it as far as stored records allow."""
    with connect(url, key, as_json=as_json) as client:
        answer = request(client, "PUT", build_path("types", name), json=read_json_file(file))
        print_type(read_object(answer), as_json=as_json)


@types.command("delete")
def delete_type(name: TypeName, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete a record type of the account that has no records and that nothing uses."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", build_path("types", name))
    if not as_json:
        print_line(f"Record type {name} is deleted")


@types.command("sample")
def save_sample(name: TypeName, *, output: Output = None, url: Url = DEFAULT_URL, key: Key = "") -> None:
    """Download a small CSV file of the type to start from."""
    with connect(url, key) as client:
        download(client, build_path("types", name, "sample.csv"), output)
