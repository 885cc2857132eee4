"""The command `sluice commit`: a dry run writes what it has shown."""

from typing import Annotated

import httpx
import typer

from app.cli.client.http import build_path, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.importing import options
from app.cli.importing.following import follow_import
from app.cli.importing.progress import OnProgress
from app.cli.importing.status import ImportResponse, parse_import

ImportId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import that was started with --dry-run")]
Plan = Annotated[
    int | None,
    typer.Option(help="The plan that was printed: refuse if others have changed records and it is another one by now"),
]


def commit_import(
    import_id: ImportId,
    *,
    plan: Plan = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    no_wait: options.NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Let a dry run write what it has shown.

    If others have changed its records since, it writes nothing and is halted.

    Exit codes: 0 if all rows were imported, 1 if some rows failed, 2 if the import was refused, failed or is halted.
    """

    def begin(client: httpx.Client, _: OnProgress) -> ImportResponse:
        body = None if plan is None else {"plan": plan}
        return parse_import(request(client, "POST", build_path("imports", import_id, "commit"), json=body))

    follow_import(begin, url=url, key=key, as_json=as_json, wait=not no_wait)
