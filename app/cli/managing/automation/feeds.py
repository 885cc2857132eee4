"""`sluice feeds …`: has the files of a folder on another server imported as they come."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.failures import RequestFailed
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages, print_table

feeds = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the feed")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new feed")]
Connection = Annotated[str, typer.Option("--connection", help="Name or id of the connection")]
NewConnection = Annotated[str | None, typer.Option("--connection", help="Name or id of another connection")]
RequestFile = Annotated[
    Path,
    typer.Option("--request", help="JSON file with what is imported, such as path and type; `-` for standard input"),
]
NewRequestFile = Annotated[Path | None, typer.Option("--request", help="JSON file with what is imported instead")]
Every = Annotated[int | None, typer.Option("--every", help="Seconds from one look at the folder to the next")]
Afterwards = Annotated[
    str | None, typer.Option("--afterwards", help="After an import without failed rows: keep, delete or move:/done")
]
OnFailed = Annotated[str | None, typer.Option("--on-failed", help="After any other import: keep or move:/failed")]
Rename = Annotated[str | None, typer.Option("--name", help="Another name for it")]
Status = Annotated[str | None, typer.Option("--status", help="Only those settling, waiting, imported, and so on")]


def show_status(feed: Mapping[str, Any]) -> str:
    return str(feed["status"]) if feed["enabled"] else "paused"


LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("STATUS", show_status),
    TableColumn("EVERY", "every", number=True),
    TableColumn("CHECKED", "checkedAt", show=show_time, spare=True),
    TableColumn("PROBLEM", lambda feed: feed.get("problem") or feed.get("detail"), cut=True),
)
FILES: Final = (
    TableColumn("PATH", "path", cut=True),
    TableColumn("BYTES", "size", number=True, spare=True),
    TableColumn("STATUS", "status"),
    TableColumn("IMPORT", "importId"),
    TableColumn("AFTERWARDS", lambda file: file.get("movedTo") or file.get("why") or file.get("afterwards"), cut=True),
)


@feeds.command("list")
def list_feeds(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the feeds, ordered by name."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "feeds")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@feeds.command("show")
def show_feed(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a feed: what it imports, what its last look has found, and how far its files are."""
    with connect(url, key, as_json=as_json) as client:
        print_feed(get_object(client, path_of(client, name)), as_json=as_json)


def path_of(client: httpx.Client, name_or_id: str, *more: str) -> str:
    return build_path("feeds", find_feed(client, name_or_id)["id"], *more)


def find_feed(client: httpx.Client, name_or_id: str) -> dict[str, Any]:
    """The feed without what it imports. Raises RequestFailed if there is none."""
    stored = get_object(client, "feeds")["results"]
    for member in ("id", "name"):
        for each in stored:
            if each[member] == name_or_id:
                return dict(each)
    detail = f'There is no feed with the name or id "{name_or_id}"'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})


def print_feed(feed: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(feed)
        return
    print_facts(
        {
            "ID": feed["id"],
            "Name": feed["name"],
            "Connection": feed["connectionId"],
            "Request": show_members(feed["request"]),
            "Every": f"{feed['every']} s",
            "Afterwards": feed["afterwards"],
            "On failed": feed["onFailed"],
            "Status": show_status(feed),
            "Reason": feed.get("detail"),
            "Problem": feed.get("problem"),
            "Checked": show_time(feed.get("checkedAt")),
            "Files": show_members({state: number for state, number in feed["files"].items() if number}),
        }
    )


@feeds.command("create")
def create_feed(
    name: NewName,
    *,
    connection: Connection,
    request_file: RequestFile,
    every: Every = None,
    afterwards: Afterwards = None,
    on_failed: OnFailed = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Watch a folder: each version of a file is imported once, and then kept, moved or deleted."""
    asked = read_json_file(request_file)
    with connect(url, key, as_json=as_json) as client:
        body = {"name": name, "connectionId": find_connection(client, connection)["id"], "request": asked}
        body |= build_members(every=every, afterwards=afterwards, onFailed=on_failed)
        print_feed(read_object(request(client, "POST", "feeds", json=body)), as_json=as_json)


def build_members(**given: object) -> dict[str, object]:
    """Those that were given."""
    return {member: value for member, value in given.items() if value is not None}


@feeds.command("put")
def put_feed(
    name: NameOrId,
    *,
    new_name: Rename = None,
    connection: NewConnection = None,
    request_file: NewRequestFile = None,
    every: Every = None,
    afterwards: Afterwards = None,
    on_failed: OnFailed = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Change a feed. What no option changes stays."""
    changed = build_members(name=new_name, every=every, afterwards=afterwards, onFailed=on_failed)
    changed |= {"request": read_json_file(request_file)} if request_file else {}
    with connect(url, key, as_json=as_json) as client:
        changed |= {"connectionId": find_connection(client, connection)["id"]} if connection else {}
        path = path_of(client, name)
        body = {**get_object(client, path), **changed}
        print_feed(read_object(request(client, "PUT", path, json=body)), as_json=as_json)


@feeds.command("files")
def list_files(
    name: NameOrId,
    *,
    status: Status = None,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List the files that a feed has seen, the newest first, with their imports and what has become of them."""
    filters: dict[str, Any] = {"status": status} if status else {}
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, path_of(client, name, "files"), limit=limit, **filters)
        print_pages(FILES, pages, as_json=as_json)


@feeds.command("check")
def check_feed(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Look at the folder now."""
    act(name, "check", url, key, as_json=as_json)


@feeds.command("pause")
def pause_feed(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Look at nothing and start, move and delete nothing until the feed is resumed."""
    act(name, "pause", url, key, as_json=as_json)


@feeds.command("resume")
def resume_feed(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Go on after a pause, with a look at once."""
    act(name, "resume", url, key, as_json=as_json)


def act(name: str, action: str, url: str, key: str, *, as_json: bool) -> None:
    with connect(url, key, as_json=as_json) as client:
        print_feed(read_object(request(client, "POST", path_of(client, name, action))), as_json=as_json)


@feeds.command("delete")
def delete_feed(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete a feed and what it has seen. Its imports go on, and the files stay where they are."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", path_of(client, name))
    if not as_json:
        print_line(f"Feed {name} is deleted")
