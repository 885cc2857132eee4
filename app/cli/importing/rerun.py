"""`sluice rerun` and `sluice retry`: an import again with its file as it is now, or only its failed rows."""

from pathlib import Path
from typing import Annotated, Final

import httpx
import typer

from app.cli.client.failures import RequestFailed
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, get_object
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.importing import options
from app.cli.importing.following import follow_import
from app.cli.importing.progress import OnProgress
from app.cli.importing.status import ImportResponse
from app.cli.importing.transfer import ImportRequest, start_import
from app.cli.importing.waiting import print_wait

NOT_FOUND: Final = 404
INVALID: Final = 422

ImportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import to run again")]
NewFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="The file as it is now, `-` for standard input. Left out if the service fetches it",
        show_default=False,
    ),
]
FailedImportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import whose rows failed")]
CorrectedFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="The corrected rows, `-` for standard input. Left out to try them as they are",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do, and wait for `sluice commit`")]
OtherName = Annotated[str | None, typer.Option("--name", help="What to call it; default: as the first is called")]


def run_again(
    import_id: ImportId,
    file: NewFile = "",
    *,
    name: OtherName = None,
    source: options.SourceFile = None,
    dry_run: DryRun = False,
    url: Url = DEFAULT_URL,
    key: Key = "",
    wait_for_room: options.WaitForRoom = False,
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Run an import again, with its file as it is now.

    Type, mapping, options and source are the same.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused, failed or is halted.
    """
    on_full = print_wait if wait_for_room else None

    def begin(client: httpx.Client, on_progress: OnProgress) -> ImportResponse:
        remote = {"source": read_json_file(Path(source))} if source else None if file else {}
        parts = ({"name": name} if name else {}) | ({"dryRun": "true"} if dry_run else {})
        wanted = ImportRequest(Path(file), parts, remote=remote, address=build_path("imports", import_id, "rerun"))
        try:
            return start_import(client, wanted, on_progress, on_full)
        except RequestFailed as refused:
            raise explain_refusal(client, import_id, refused, sent=bool(file or source)) from None

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)


def retry_failed(
    import_id: FailedImportId,
    file: CorrectedFile = "",
    *,
    name: OtherName = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    wait_for_room: options.WaitForRoom = False,
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Import the failed rows of an import once more, as they are or corrected.

    `sluice imports failed-rows ID` downloads them. Type, mapping and options are the same, with the type as it is now.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused, failed or is halted.
    """
    on_full = print_wait if wait_for_room else None

    def begin(client: httpx.Client, on_progress: OnProgress) -> ImportResponse:
        parts = {"name": name} if name else {}
        address = build_path("imports", import_id, "retry")
        wanted = ImportRequest(Path(file), parts, remote=None if file else {}, address=address)
        return start_import(client, wanted, on_progress, on_full)

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)


def explain_refusal(client: httpx.Client, import_id: str, refused: RequestFailed, *, sent: bool) -> RequestFailed:
    """The same in the words of the command line, where the service's own are about HTTP."""
    status, detail = refused.body.get("status"), None
    if status == NOT_FOUND and is_export(client, import_id):
        detail = f"{import_id} is an export. Run it again with: sluice exports rerun {import_id}"
    elif status == INVALID and not sent:
        detail = f"This import was sent a file, so name it as it is now: sluice rerun {import_id} FILE"
    return (
        refused
        if detail is None
        else RequestFailed({"status": status, "title": refused.body["title"], "detail": detail})
    )


def is_export(client: httpx.Client, run_id: str) -> bool:
    try:
        return bool(get_object(client, build_path("runs", run_id))["kind"] == "export")
    except RequestFailed:
        return False
