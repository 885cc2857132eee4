"""`sluice syncs …`: stores, tests, runs and deletes item syncs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.failures import RequestFailed
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url, add_options
from app.cli.client.printing import print_facts, print_json, print_line, show_time
from app.cli.client.tables import TableColumn, print_pages, print_table
from app.cli.importing.options import BRAKE_OPTIONS
from app.cli.managing.connection_use import report_test
from app.cli.managing.runs import LARGEST_PAGE
from app.cli.managing.runs import LISTED as RUNS

syncs = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the item sync")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new item sync")]
Rename = Annotated[str | None, typer.Option("--name", help="New name of the item sync")]
Connection = Annotated[str | None, typer.Option("--connection", help="Name or id of the connection to its files")]
Declaration = Annotated[
    Path | None, typer.Option("--file", help="JSON file with the settings; `-` for standard input. Options win")
]
Mode = Annotated[str | None, typer.Option("--mode", help="For this run alone: incremental or full")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only find out what would change, and wait for resume")]

# Each with its type and its help, as `add_options` takes them.
SETTINGS: Final[Mapping[str, tuple[type, str]]] = {
    "items_path": (str, "Folder of the item files; default: /items/"),
    "filters_path": (str, "Folder of the filter files; default: /itemfilters/"),
    "images_path": (str, "ZIP of pictures; default: /itempictures.zip"),
    "separator": (str, "What separates the cells: semicolon (the default), comma, tab or pipe"),
    "encoding": (str, "Encoding of the files; default: utf-8"),
    "mode": (str, "incremental (the default), or full: what no file names any more is removed"),
    "trim_values": (bool, "Trim white space from all cells"),
    "use_deprecated_free_fields_format": (bool, "Take FreeItemFields for a single value"),
    "hide_free_field_caption": (bool, 'Hide the caption "Vrij veld" of that value'),
    "images_only_from_pim": (bool, "Do not read the ZIP: pictures come from a PIM"),
    "pictures_by_separate_task": (bool, "Do not read the ZIP: another task brings pictures"),
    "blank_cells": (str, "What an empty cell does: keep (the default), clear or empty"),
    "afterwards": (str, "What becomes of the CSV files: keep (the default), delete, or move: with a folder"),
    "quiet_seconds": (float, "How long no file may have changed before the files are read; default: 5"),
    **BRAKE_OPTIONS,
    "max_removed_share": (float, "Halt if a larger share of the records of one type would be removed; default: 0.5"),
    "min_rows": (int, "Halt if all files have fewer rows together"),
}
LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("MODE", "mode"),
    TableColumn("ITEMS", "itemsPath", cut=True),
    TableColumn("CONNECTION", "connectionId", spare=True),
    TableColumn("UPDATED", "updatedAt", show=show_time, spare=True),
)


@syncs.command("list")
def list_syncs(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the item syncs, ordered by name."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "item-syncs")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@syncs.command("show")
def show_sync(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show an item sync with all of its settings."""
    with connect(url, key, as_json=as_json) as client:
        print_sync(get_object(client, path_of(client, name)), as_json=as_json)


def path_of(client: httpx.Client, name_or_id: str, *more: str) -> str:
    return build_path("item-syncs", find_sync(client, name_or_id)["id"], *more)


def find_sync(client: httpx.Client, name_or_id: str) -> dict[str, Any]:
    """Raises RequestFailed if there is none."""
    stored = get_object(client, "item-syncs")["results"]
    for member in ("id", "name"):
        for each in stored:
            if each[member] == name_or_id:
                return dict(each)
    detail = f'There is no item sync with the name or id "{name_or_id}"'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})


def print_sync(sync: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(sync)
        return
    times = {member: show_time(sync[member]) for member in ("createdAt", "updatedAt")}
    print_facts({**sync, **times})


def create_sync(
    context: typer.Context,
    name: NewName,
    *,
    connection: Connection = None,
    file: Declaration = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Store an item sync. Nothing is read: use test to test it, and run to run it."""
    with connect(url, key, as_json=as_json) as client:
        given = read_json_file(file) if file else {}
        body = {"name": name} | given | build_members(client, context.params, connection)
        print_sync(read_object(request(client, "POST", "item-syncs", json=body)), as_json=as_json)


def build_members(client: httpx.Client, given: Mapping[str, Any], connection: str | None) -> dict[str, Any]:
    """The members that the options set. Raises RequestFailed for a connection that does not exist."""
    members = {camel(name): given[name] for name in SETTINGS if given[name] is not None}
    return members | ({"connectionId": find_connection(client, connection)["id"]} if connection else {})


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def put_sync(
    context: typer.Context,
    name: NameOrId,
    *,
    new_name: Rename = None,
    connection: Connection = None,
    file: Declaration = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Change an item sync. What no option changes stays; with a file, the rest gets its defaults."""
    with connect(url, key, as_json=as_json) as client:
        path = path_of(client, name)
        stored = request(client, "GET", path).json()  # with numbers that can be sent back
        base = {each: stored[each] for each in ("name", "connectionId")} | read_json_file(file) if file else stored
        named = {"name": new_name} if new_name else {}
        body = base | named | build_members(client, context.params, connection)
        print_sync(read_object(request(client, "PUT", path, json=body)), as_json=as_json)


syncs.command("create")(add_options(create_sync, SETTINGS))
syncs.command("put")(add_options(put_sync, SETTINGS))


@syncs.command("delete")
def delete_sync(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete an item sync. Its runs stay, and so do all records."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", path_of(client, name))
    if not as_json:
        print_line(f"Item sync {name} is deleted")


@syncs.command("test")
def check_sync(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Test an item sync: connect, list its folders, read the header of the first file of each, find the ZIP.

    Exit codes: 0 if it works, 1 if it does not or the service refused to test it, 2 for anything else.
    """
    with connect(url, key, as_json=as_json) as client:
        # A server that does not answer is given up by the service, not here.
        tested = read_object(request(client, "POST", path_of(client, name, "test"), timeout=None))
    report_test(tested, as_json=as_json)


@syncs.command("run")
def run_sync(
    name: NameOrId,
    *,
    mode: Mode = None,
    dry_run: DryRun = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Run an item sync. Does not wait for its end: `sluice runs show ID` shows how far it is, and its report."""
    body = ({"mode": mode} if mode else {}) | ({"dryRun": True} if dry_run else {})
    with connect(url, key, as_json=as_json) as client:
        run = read_object(request(client, "POST", path_of(client, name, "runs"), json=body))
    if as_json:
        print_json(run)
    else:
        print_line(f"Run {run['id']} was accepted")


@syncs.command("runs")
def list_sync_runs(
    name: NameOrId, *, limit: Limit = 20, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """List the runs of an item sync, newest first."""
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, path_of(client, name, "runs"), limit=limit, largest=LARGEST_PAGE)
        print_pages(RUNS, pages, as_json=as_json)
