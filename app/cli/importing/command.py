"""The command `sluice import`: what it sends, what it prints, and where its file is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.files import read_json_file
from app.cli.client.mappings import choose_mapping
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.importing import options
from app.cli.importing.following import follow_import
from app.cli.importing.options import DEFAULT_TYPE, add_file_options, build_parts, drop_defaults
from app.cli.importing.progress import OnProgress
from app.cli.importing.status import ImportResponse
from app.cli.importing.transfer import ImportRequest, start_import
from app.cli.importing.waiting import print_wait

WEB: Final = ("http://", "https://")


@add_file_options
def import_file(
    context: typer.Context,
    file: options.File = "",
    *,
    type: options.Type = DEFAULT_TYPE,
    url: Url = DEFAULT_URL,
    key: Key = "",
    delimiter: options.Delimiter = "auto",
    override: options.Override = True,
    only_empty: options.OnlyEmpty = False,
    coupon_set: options.CouponSet = None,
    format: options.Format = None,
    encoding: options.Encoding = None,
    blank_cells: options.BlankCells = None,
    null_marker: options.NullMarker = None,
    duplicates: options.Duplicates = None,
    unknown_columns: options.UnknownColumns = None,
    mapping: options.MappingName = None,
    mapping_file: options.MappingFile = None,
    connection: options.Connection = None,
    source: options.SourceFile = None,
    import_name: options.ImportName = None,
    file_name: options.FileName = "",
    wait_for_room: options.WaitForRoom = False,
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Import a file into a running service.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused, failed or is halted.
    """
    refuse_wrong_usage(context.params)
    given = drop_defaults(context) if mapping or mapping_file else context.params
    on_full = print_wait if wait_for_room else None

    def begin(client: httpx.Client, on_progress: OnProgress) -> ImportResponse:
        return start_import(client, build_request(client, given), on_progress, on_full)

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)


def refuse_wrong_usage(given: Mapping[str, Any]) -> None:
    if not (given["file"] or given["source"]):
        raise typer.TyperException("Missing argument 'FILE'")
    if given["mapping"] and given["mapping_file"]:
        raise typer.TyperException("Use either --mapping or --mapping-file")


def build_request(client: httpx.Client, given: Mapping[str, Any]) -> ImportRequest:
    """What the options ask for. Raises RequestFailed if the connection or the file with the source is not there."""
    file, parts = given["file"], build_parts(given)
    remote: dict[str, object] | None = None
    if given["source"]:
        remote = {"source": read_json_file(Path(given["source"]))}
    elif given["connection"]:
        remote = {"connectionId": find_connection(client, given["connection"])["id"], "path": file}
    elif file.startswith(WEB):
        remote = {"source": {"transport": file.partition(":")[0], "url": file}}
    if given["mapping"] or given["mapping_file"]:
        parts = {"type": DEFAULT_TYPE, **choose_mapping_parts(client, given), **parts}
    return ImportRequest(Path(file), parts, given["file_name"], remote)


def choose_mapping_parts(client: httpx.Client, given: Mapping[str, Any]) -> dict[str, str]:
    """The mapping that is stored or in a file, and its type if it has one. Raises RequestFailed."""
    if given["mapping"]:
        return choose_mapping(client, given["mapping"], given["type"])
    mapping = read_json_file(Path(given["mapping_file"]))
    of_type = {"type": str(mapping["type"])} if mapping.get("type") else {}
    return {**of_type, "mapping": json.dumps(mapping)}
