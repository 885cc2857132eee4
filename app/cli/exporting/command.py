"""The command `sluice export`: starts an export, waits for it, and writes its file."""

from collections.abc import Mapping
from typing import Any

import httpx
import typer
from rich.console import Console

from app.cli.client.failures import JsonObject
from app.cli.client.files import refuse_unwritable
from app.cli.client.http import connect, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Output, Url, command_for
from app.cli.client.printing import print_json, print_line, print_note
from app.cli.exporting import options
from app.cli.exporting.following import describe_delivery, fetch_file, watch_export
from app.cli.importing.options import NoWait
from app.cli.importing.progress import OnProgress, show_progress
from app.errors import INTERRUPTED

INCOMPLETE = 1  # the file is there, and a destination did not get it


def export_records(
    context: typer.Context,
    type: options.Type,
    *,
    output: Output = None,
    mapping: options.MappingName = None,
    mapping_file: options.MappingFile = None,
    where: options.Where = None,
    fields: options.Fields = None,
    keys: options.RecordKeys = None,
    updated_since: options.UpdatedSince = None,
    created_since: options.CreatedSince = None,
    import_id: options.ImportId = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    gzip: options.Gzip = False,
    neutralize: options.Neutralize = False,
    name: options.ExportName = None,
    to: options.Destinations = None,
    no_wait: NoWait = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Export the records of a type, and write them to a file, or to standard output.

    With --to it goes to other servers, with --json the service's JSON is printed: then only --output writes the file.
    """
    progress = show_progress(Console(stderr=True), quiet=as_json)
    with connect(url, key, as_json=as_json) as client, progress as on_progress:
        refuse_unwritable(output)
        export = start_export(client, context.params)
        if not no_wait:
            export = follow(client, export, on_progress, url=url)
            if output is not None or not (as_json or to):
                fetch_file(client, export["id"], output)
    report_export(export, as_json=as_json, url=url)


def report_export(export: JsonObject, *, as_json: bool, url: str) -> None:
    """Says what has become of it. Raises typer.Exit if a destination failed."""
    if as_json:
        print_json(export)
    elif not export["done"]:
        print_line(f"Export {export['id']} was accepted")
    for each in export.get("destinations", ()):
        if not as_json and each["status"] != "pending":
            print_note(describe_delivery(each))
    if any(each["status"] == "failed" for each in export.get("destinations", ())):
        if not as_json:
            print_note(f"Deliver it again with:\n  {command_for('exports retry', export['id'], url=url)}")
        raise typer.Exit(INCOMPLETE)


def start_export(client: httpx.Client, given: Mapping[str, Any]) -> JsonObject:
    """The export that was accepted. Raises RequestFailed."""
    return read_object(request(client, "POST", "exports", json=options.build_body(client, given)))


def follow(client: httpx.Client, export: JsonObject, on_progress: OnProgress, *, url: str) -> JsonObject:
    """The export once it has ended. Raises typer.Exit after Ctrl-C, and RequestFailed."""
    try:
        return watch_export(client, export, on_progress)
    except KeyboardInterrupt:
        go_on = command_for("exports download", export["id"], url=url)
        print_note(f"Interrupted. The export continues on the server. Get its file later with:\n  {go_on}")
        raise typer.Exit(INTERRUPTED) from None
