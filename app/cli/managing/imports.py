"""`sluice imports …`: lists, shows, watches and deletes imports, and gets what is wrong with their rows."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import httpx
import typer

from app.cli.client.files import download
from app.cli.client.http import build_path, connect, fetch_pages, get_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Output, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_json, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages
from app.cli.importing.following import follow_import
from app.cli.importing.report import print_report
from app.cli.importing.watching import load_import

imports = typer.Typer()

ImportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import")]
OnlyStatus = Annotated[
    str | None, typer.Option("--status", help="Only those that are queued, inProgress, finished, error or cancelled")
]
OnlyOutcome = Annotated[
    str | None, typer.Option("--outcome", help="Only records that would be created, updated or removed")
]
OnlyOutcomes = Annotated[
    list[str] | None,
    typer.Option("--outcome", help="Only rows that were created, updated, unchanged, skipped or failed; repeatable"),
]
InFormat = Annotated[str | None, typer.Option("--format", help="csv or jsonl; default: as the file was")]
OnlyType = Annotated[str | None, typer.Option("--type", help="Only those of this record type")]

LARGEST_PAGE: Final = 100


def file_of(run: Mapping[str, Any]) -> str:
    """The name of the file, or where the service fetches it."""
    source = run.get("source", {})
    return run.get("fileName") or source.get("path") or source.get("host") or ""


LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("TYPE", "type", cut=True, least=10),
    TableColumn("STATUS", lambda run: run.get("held") or run["status"]),
    TableColumn("ROWS", "total", number=True),
    TableColumn("FAILED", "errors", number=True),
    TableColumn("CREATED", "createdAt", show=show_time, spare=True),
    TableColumn("NAME", "name", cut=True, spare=True),
    TableColumn("FILE", file_of, cut=True),
)
PROBLEMS: Final = (
    TableColumn("LINE", "line", number=True),
    TableColumn("COLUMN", lambda problem: problem["column"] or problem["field"], cut=True),
    TableColumn("CODE", "code", spare=True),
    TableColumn("PROBLEM", "message", wraps=True, least=28),
    TableColumn("VALUE", "value", cut=True),
    TableColumn("KEY", "key", cut=True, spare=True),
)

COLUMNS: Final = (
    TableColumn("COLUMN", "column", cut=True),
    TableColumn("FIELD", "field", cut=True),
    TableColumn("FOUND", "found"),
)


def tell_changes(change: Mapping[str, Any]) -> str:
    """`price: 19.90 → 14.90; tags: → ["new"]`."""
    return "; ".join(
        f"{field['field']}:{tell_value(field, 'before')} →{tell_value(field, 'after')}" for field in change["fields"]
    )


def tell_value(field: Mapping[str, Any], moment: str) -> str:
    return f" {show_json(field[moment])}" if moment in field else ""


CHANGES: Final = (
    TableColumn("KEY", "key", cut=True),
    TableColumn("OUTCOME", "outcome"),
    TableColumn("ROW", "row", number=True, spare=True),
    TableColumn("CHANGES", tell_changes, wraps=True, least=28),
)


@imports.command("list")
def list_imports(
    *,
    status: OnlyStatus = None,
    type: OnlyType = None,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List imports, newest first."""
    filters = {name: value for name, value in (("status", status), ("type", type)) if value}
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, "imports", limit=limit, size="pageSize", largest=LARGEST_PAGE, **filters)
        print_pages(LISTED, pages, as_json=as_json)


@imports.command("show")
def show_import(import_id: ImportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show an import: its counts, and the problems of its rows by reason."""
    with connect(url, key, as_json=as_json) as client:
        answer = load_import(client, import_id)
    if as_json:
        print_json(answer.body)
        return
    print_facts(describe_import(answer.body))
    print_line("")
    print_report(answer.run, url=url)


def describe_import(run: Mapping[str, Any]) -> dict[str, object]:
    return {
        "Name": run.get("name"),
        "File": file_of(run),
        "Bytes": run.get("fileBytes"),
        "Read as": show_members(run.get("dialect")),
        "Source": show_members(run.get("source")),
        "Mapping": run.get("mapping", {}).get("name"),
        "Parent": show_members({run["relation"]: run["parentId"]}) if "parentId" in run else None,
        "In by now": tell_family(run["family"]) if "family" in run else None,
        "Options": show_members(run.get("options")),
        "Created": show_time(run.get("createdAt")),
        "Started": show_time(run.get("startedAt")),
        "Finished": show_time(run.get("finishedAt")),
        "Kept until": show_time(run.get("expiresAt")),
    }


def tell_family(family: Mapping[str, Any]) -> str:
    """What an import and all that came of it have brought in."""
    return f"{family['success']:,} of {family['total']:,} rows, with {family['runs']} imports"


@imports.command("watch")
def watch_import(import_id: ImportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Follow an import to its end, and report the outcome.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import failed, is halted or cannot be
    watched.
    """
    follow_import(lambda client, _: load_import(client, import_id), url=url, key=key, as_json=as_json)


@imports.command("problems")
def list_problems(
    import_id: ImportId, *, limit: Limit = 100, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """List everything that is wrong with the rows of an import, in the order of the file."""
    with connect(url, key, as_json=as_json) as client:
        pages = fetch_pages(client, build_path("imports", import_id, "problems"), limit=limit)
        print_pages(PROBLEMS, pages, as_json=as_json)


@imports.command("columns")
def list_columns(import_id: ImportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the columns of the file of an import, with the field that each fills and how that was found."""
    with connect(url, key, as_json=as_json) as client:
        print_pages(COLUMNS, [get_object(client, build_path("imports", import_id, "columns"))], as_json=as_json)


@imports.command("changes")
def list_changes(
    import_id: ImportId,
    *,
    outcome: OnlyOutcome = None,
    output: Output = None,
    limit: Limit = 100,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List what an import would change that waits to be committed, field by field. With --output all of it: as JSON
    Lines into a file that is called .jsonl, else as CSV with a line for each field."""
    path = build_path("imports", import_id, "changes")
    filters: dict[str, str] = {"outcome": outcome} if outcome else {}
    with connect(url, key, as_json=as_json) as client:
        if output is None:
            print_pages(
                CHANGES, fetch_pages(client, path, limit=limit, largest=LARGEST_PAGE, **filters), as_json=as_json
            )
        else:
            kind = "jsonl" if output.suffix == ".jsonl" else "csv"
            download(client, f"{path}?{httpx.QueryParams({**filters, 'format': kind})}", output)


def save_results(
    import_id: ImportId,
    *,
    outcome: OnlyOutcomes = None,
    format: InFormat = None,
    output: Output = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
) -> None:
    """Download every row of an import with what became of it.

    Each row is as it was sent, followed by its line, its outcome, the key of its record, and why it failed or was
    skipped. The file can be imported as it is.
    """
    asked = [("outcome", each) for each in outcome or ()] + ([("format", format)] if format else [])
    query = f"?{urlencode(asked)}" if asked else ""
    with connect(url, key) as client:
        download(client, build_path("imports", import_id, "results") + query, output)


@imports.command("failed-rows")
def save_failed_rows(import_id: ImportId, *, output: Output = None, url: Url = DEFAULT_URL, key: Key = "") -> None:
    """Download the failed rows of an import as CSV, with the reasons. Correct them and import the file again."""
    with connect(url, key) as client:
        download(client, build_path("imports", import_id, "failed-rows.csv"), output)


@imports.command("delete")
def delete_import(import_id: ImportId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete an import that has ended, with its file and its problems. The records that it wrote stay."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", build_path("imports", import_id))
    if not as_json:
        print_line(f"Import {import_id} is deleted")
