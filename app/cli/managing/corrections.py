"""`sluice failed-values` and `sluice correct`: the bad values of an import, and its rows again with them corrected."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.failures import request_failed
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, connect, fetch_pages, get_object
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url
from app.cli.client.tables import TableColumn, print_pages
from app.cli.importing import options
from app.cli.importing.following import follow_import
from app.cli.importing.progress import OnProgress
from app.cli.importing.status import ImportResponse
from app.cli.importing.transfer import ImportRequest, start_import

NO_HINTS: Final = "No hint of this import proposes a correction. `sluice failed-values ID` lists its bad values"
NO_CORRECTIONS: Final = "Say what to correct: --value, --decimal-comma, --date-format, --ignore, --hints or --file"
VALUES: Final = (
    TableColumn("COUNT", "count", number=True),
    TableColumn("COLUMN", "column", cut=True),
    TableColumn("CODE", "code", spare=True),
    TableColumn("VALUE", lambda found: found["value"] or "(blank)", cut=True),
)

FailedImport = Annotated[str, typer.Argument(metavar="ID", help="Id of the import whose rows failed")]
Values = Annotated[
    list[str] | None,
    typer.Option("--value", metavar="COLUMN:FROM=TO", help="What a bad value should be", show_default=False),
]
Commas = Annotated[
    list[str] | None,
    typer.Option("--decimal-comma", metavar="COLUMN", help="A column with decimal commas", show_default=False),
]
Dates = Annotated[
    list[str] | None,
    typer.Option("--date-format", metavar="COLUMN:PATTERN", help="How dates are written there", show_default=False),
]
Ignored = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="A column to leave out", show_default=False)
]
Hinted = Annotated[bool, typer.Option("--hints", help="Make the corrections that the import's own hints propose")]
CorrectionsFile = Annotated[
    Path | None,
    typer.Option("--file", help="JSON as `POST /imports/ID/corrections` takes it", show_default=False),
]
Name = Annotated[str | None, typer.Option("--name", help="What to call it; default: as the first is called")]


def list_failed_values(
    import_id: FailedImport,
    *,
    column: Annotated[str | None, typer.Option("--column", help="Only those of this column")] = None,
    limit: Limit = 100,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List the different bad values of an import with the number of their rows, the most frequent first."""
    with connect(url, key, as_json=as_json) as client:
        only: dict[str, Any] = {"column": column} if column else {}
        pages = fetch_pages(client, build_path("imports", import_id, "failed-values"), limit=limit, **only)
        print_pages(VALUES, pages, as_json=as_json)


def correct_values(
    import_id: FailedImport,
    *,
    values: Values = None,
    decimal_commas: Commas = None,
    date_formats: Dates = None,
    ignored: Ignored = None,
    hints: Hinted = False,
    file: CorrectionsFile = None,
    name: Name = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Import the failed rows of an import again, with bad values corrected.

    `sluice failed-values ID` lists them. A correction that has a colon or an equals sign in a column or value goes into
    a file.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused, failed or is halted.
    """

    def begin(client: httpx.Client, on_progress: OnProgress) -> ImportResponse:
        body: dict[str, Any] = dict(read_json_file(file)) if file else {}
        corrections = [
            *body.pop("corrections", ()),
            *read_values(values or []),
            *read_columns(decimal_commas or [], date_formats or [], ignored or []),
            *(find_hinted(get_object(client, build_path("imports", import_id))) if hints else ()),
        ]
        if not corrections:
            raise request_failed("Nothing to correct", NO_HINTS if hints else NO_CORRECTIONS)
        given = {**body, **({"name": name} if name else {}), "corrections": corrections}
        address = build_path("imports", import_id, "corrections")
        return start_import(client, ImportRequest(Path(), remote=given, address=address), on_progress)

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)


def read_values(given: list[str]) -> Iterator[dict[str, str]]:
    """Raises RequestFailed."""
    for text in given:
        column, rest = split(text, ":")
        value, to = split(rest, "=")
        yield {"column": column, "from": value, "to": to}


def read_columns(decimal_commas: list[str], date_formats: list[str], ignored: list[str]) -> Iterator[dict[str, object]]:
    """Raises RequestFailed."""
    for text in date_formats:
        column, pattern = split(text, ":")
        yield {"column": column, "dateFormat": pattern}
    yield from ({"column": column, "decimalComma": True} for column in decimal_commas)
    yield from ({"column": column, "ignore": True} for column in ignored)


def split(text: str, separator: str) -> tuple[str, str]:
    """Raises RequestFailed."""
    first, found, second = text.partition(separator)
    if not found:
        reason = f'"{text}" must have a column and, after "{separator}", what is meant. Put others into a file: --file'
        raise request_failed("Invalid correction", reason)
    return first, second


def find_hinted(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The corrections that the groups of errors propose."""
    fixes = [group.get("fix", {}) for group in run["errorSummary"]]
    return [each for fix in fixes if fix.get("action") == "correct" for each in fix["corrections"]]
