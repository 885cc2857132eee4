"""The command `sluice rerun`: the same import again, with its file as it is now."""

from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.cli.client.files import read_json_file
from app.cli.client.http import build_path
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.importing import options
from app.cli.importing.following import follow_import
from app.cli.importing.progress import OnProgress
from app.cli.importing.status import ImportResponse
from app.cli.importing.transfer import ImportRequest, start_import
from app.cli.importing.waiting import print_wait

ImportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import to run again")]
NewFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="The file as it is now, `-` for standard input. Left out if the service fetches it",
        show_default=False,
    ),
]
OtherName = Annotated[str | None, typer.Option("--name", help="What to call it; default: as the first is called")]


def run_again(
    import_id: ImportId,
    file: NewFile = "",
    *,
    name: OtherName = None,
    source: options.SourceFile = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    wait_for_room: options.WaitForRoom = False,
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Run an import again, with its file as it is now.

    Type, mapping, options and source are the same.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused or failed.
    """
    on_full = print_wait if wait_for_room else None

    def begin(client: httpx.Client, on_progress: OnProgress) -> ImportResponse:
        remote = {"source": read_json_file(Path(source))} if source else None if file else {}
        wanted = ImportRequest(
            Path(file), {"name": name} if name else {}, remote=remote, address=build_path("imports", import_id, "rerun")
        )
        return start_import(client, wanted, on_progress, on_full)

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)
