"""The command `sluice undo`: takes back what a run has changed, and says what has come of it."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import typer

from app.cli.client.failures import JsonObject, request_failed
from app.cli.client.http import build_path, connect, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_json, print_line
from app.cli.importing.status import pause_after
from app.cli.importing.watching import PATIENCE_SECONDS, UNCHANGED, poll_until_answered

RunId = Annotated[str, typer.Argument(metavar="ID", help="Id of the import, item sync or undo")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do")]


def undo_run(
    run_id: RunId, *, dry_run: DryRun = False, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Undo a run: remove the records that it has created, and restore those that it has changed or removed.

    What another writer has changed since is left alone; `sluice runs problems` lists it.
    """
    with connect(url, key, as_json=as_json) as client:
        body = {"dryRun": True} if dry_run else None
        answer = read_object(request(client, "POST", build_path("runs", run_id, "undo"), json=body))
        if not dry_run:
            answer = wait_for_end(client, answer)
    if as_json:
        print_json(answer)
    elif dry_run:
        print_line(f"It would: {tell_counts(answer)}")
    else:
        print_line(f"Undo {answer['id']} is {answer['status']}: {tell_counts(answer['undo'])}")


def wait_for_end(client: httpx.Client, undo: JsonObject) -> JsonObject:
    """Raises RequestFailed if it cannot be finished, or the service cannot be reached for long."""
    wait, tag = 0.2, ""
    while not undo["done"]:
        time.sleep(wait)
        response = poll_until_answered(
            client, ("runs", undo["id"]), lambda _note: None, patience=PATIENCE_SECONDS, tag=tag
        )
        wait, tag = pause_after(response), response.headers.get("ETag", "")
        undo = undo if response.status_code == UNCHANGED else read_object(response)
    if "failure" in undo:
        raise request_failed("The undo failed", f"The undo {undo['id']} failed: {undo['failure']['detail']}")
    return undo


def tell_counts(counts: Mapping[str, Any]) -> str:
    return (
        f"remove {counts['removed']:,}, restore {counts['restored']:,}, put back {counts['putBack']:,}, "
        f"leave alone {counts['leftAlone']:,} that others have changed since"
    )
