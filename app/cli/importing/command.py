"""The command `sluice import`: its options, its output and its exit codes."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from app.cli.importing.progress import show_progress
from app.cli.importing.report import print_error, print_line, print_report
from app.cli.importing.responses import ImportResponse, ImportStatus, RequestFailed
from app.cli.importing.transfer import ImportRequest, OnProgress, open_client, upload, watch

ALL_ROWS_IMPORTED: Final = 0
SOME_ROWS_FAILED: Final = 1
NOT_IMPORTED: Final = 2
INTERRUPTED: Final = 130  # what a shell reports for Ctrl-C

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines, plain or as .gz, up to 50 MB")]
Type = Annotated[str, typer.Option("--type", help="Record type: contacts, products, coupons or a type of your own")]
Url = Annotated[str, typer.Option("--url", envvar="SLUICE_URL", help="Address of the service")]
Key = Annotated[
    str,
    typer.Option("--key", envvar="SLUICE_KEY", show_default=False, help="API key, id:secret; safer in SLUICE_KEY"),
]
Delimiter = Annotated[
    str,
    typer.Option(
        "--delimiter", help="What separates the cells: comma, semicolon, tab, pipe, the character itself, or auto"
    ),
]
Override = Annotated[bool, typer.Option("--override/--no-override", help="Update existing records, or skip their rows")]
OnlyEmpty = Annotated[bool, typer.Option("--only-empty", help="In existing records, fill only empty fields")]
CouponSet = Annotated[
    str | None, typer.Option("--coupon-set", help="Coupon set to import into; required for --type coupons")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object and nothing else")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until the import has ended")]


def import_file(
    file: File,
    *,
    type: Type = "contacts",
    url: Url = "http://127.0.0.1:8000",
    key: Key = "",
    delimiter: Delimiter = "auto",
    override: Override = True,
    only_empty: OnlyEmpty = False,
    coupon_set: CouponSet = None,
    as_json: AsJson = False,
    no_wait: NoWait = False,
) -> None:
    """Import a file into a running service.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused or failed.
    """
    request = ImportRequest(file, type, delimiter, override, only_empty, coupon_set)
    console = Console(stderr=True)
    try:
        with show_progress(console, quiet=as_json) as on_progress:
            answer, ended = run_import(request, (url, key), on_progress, wait=not no_wait)
    except KeyboardInterrupt:
        print_line(console, "Interrupted before the service accepted the file")
        raise typer.Exit(INTERRUPTED) from None
    except RequestFailed as failure:
        print_failure(console, failure, as_json=as_json)
        raise typer.Exit(NOT_IMPORTED) from None
    print_result(answer, as_json=as_json, ended=ended)
    if not ended and not no_wait:
        print_line(console, f"Interrupted. The import continues on the server. {follow_up_hint(url, answer.run)}")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(exit_code(answer.run))


def run_import(
    request: ImportRequest, service: tuple[str, str], on_progress: OnProgress, *, wait: bool
) -> tuple[ImportResponse, bool]:
    """Sends the file and, with `wait`, follows the import. The last response, and whether the import has ended."""
    with open_client(*service) as client:
        accepted = upload(client, request, on_progress)
        if not wait:
            return accepted, False
        try:
            return watch(client, accepted, on_progress), True
        except KeyboardInterrupt:
            return accepted, False


def print_result(answer: ImportResponse, *, as_json: bool, ended: bool) -> None:
    if as_json:
        print(json.dumps(answer.body))
    elif ended:
        print_report(Console(), answer.run)
    else:
        print_line(Console(), f"Import {answer.run.id} was accepted")


def print_failure(console: Console, failure: RequestFailed, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(failure.body))
    print_error(console, failure)


def follow_up_hint(url: str, run: ImportStatus) -> str:
    return f'Check it with:\n  curl -H "Authorization: apiKey $SLUICE_KEY" {url.rstrip("/")}/imports/{run.id}'


def exit_code(run: ImportStatus) -> int:
    """The exit code for an import's status. An import that still waits or runs is no failure."""
    if run.status in {"error", "cancelled"}:
        return NOT_IMPORTED
    return SOME_ROWS_FAILED if run.errors else ALL_ROWS_IMPORTED
