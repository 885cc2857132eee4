"""`sluice exports …`: lists, shows, watches, downloads, repeats and deletes exports."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Output, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages
from app.cli.exporting.following import describe_delivery, fetch_file, watch_export
from app.cli.importing.progress import show_progress

exports = typer.Typer()

ExportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the export")]
OnlyStatus = Annotated[str | None, typer.Option("--status", help="Only those queued, running, finished or failed")]
OnlyType = Annotated[str | None, typer.Option("--type", help="Only those of this record type")]
OtherName = Annotated[str | None, typer.Option("--name", help="What to call it; default: as the first is called")]

LARGEST_PAGE: Final = 100
LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("TYPE", "type", cut=True, least=10),
    TableColumn("STATUS", "status"),
    TableColumn("RECORDS", "total", number=True),
    TableColumn("BYTES", lambda export: export.get("file", {}).get("bytes"), number=True),
    TableColumn("CREATED", "createdAt", show=show_time, spare=True),
    TableColumn("NAME", "name", cut=True),
)


@exports.command("list")
def list_exports(
    *,
    status: OnlyStatus = None,
    type: OnlyType = None,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List exports, newest first."""
    filters = {name: value for name, value in (("status", status), ("type", type)) if value}
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, "exports", limit=limit, largest=LARGEST_PAGE, **filters)
        print_pages(LISTED, pages, as_json=as_json)


@exports.command("show")
def show_export(export_id: ExportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show an export: how far it is, and what its file is like."""
    with connect(url, key, as_json=as_json) as client:
        export = get_object(client, build_path("exports", export_id))
    if as_json:
        print_json(export)
    else:
        print_facts(describe_export(export))


def describe_export(export: Mapping[str, Any]) -> dict[str, object]:
    written = ("format", "delimiter", "encoding", "gzip", "formulas")
    return {
        "Name": export.get("name"),
        "Type": export["type"],
        "Status": export["status"],
        "Reason": export.get("failure", {}).get("detail"),
        "Waits for": export.get("waitingFor"),
        "Records": show_members({name: export[name] for name in ("total", "written")}),
        "Written as": show_members({name: export[name] for name in written}),
        "Mapping": export["mappingId"],
        "Parent": show_members({export["relation"]: export["parentId"]}) if "parentId" in export else None,
        "File": show_members({name: export["file"][name] for name in ("name", "bytes", "sha256")})
        if "file" in export
        else None,
        "Delivery": "; ".join(map(describe_delivery, export.get("destinations", ()))),
        "Created": show_time(export["createdAt"]),
        "Started": show_time(export.get("startedAt")),
        "Finished": show_time(export.get("finishedAt")),
        "Kept until": show_time(export.get("expiresAt")),
    }


@exports.command("download")
def download_export(
    export_id: ExportId, *, output: Output = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Wait until an export has ended, and write its file."""
    with connect(url, key, as_json=as_json) as client:
        started = get_object(client, build_path("exports", export_id))
        with show_progress(Console(stderr=True), quiet=as_json or started["done"]) as on_progress:
            watch_export(client, started, on_progress)
        fetch_file(client, export_id, output)


def print_accepted(export: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(export)
    else:
        print_line(f"Export {export['id']} was accepted")


@exports.command("rerun")
def rerun_export(
    export_id: ExportId, *, name: OtherName = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Run an export again, with the records as they are now."""
    with connect(url, key, as_json=as_json) as client:
        sent = {"name": name} if name else {}
        export = read_object(request(client, "POST", build_path("exports", export_id, "rerun"), json=sent))
    print_accepted(export, as_json=as_json)


@exports.command("retry")
def retry_export(export_id: ExportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Deliver the file of an export again to the destinations that failed."""
    with connect(url, key, as_json=as_json) as client:
        export = read_object(request(client, "POST", build_path("exports", export_id, "retry")))
    print_accepted(export, as_json=as_json)


@exports.command("delete")
def delete_export(export_id: ExportId, *, url: Url = DEFAULT_URL, key: Key = "") -> None:
    """Delete an export that has ended, with its file."""
    with connect(url, key) as client:
        request(client, "DELETE", build_path("exports", export_id))
