"""What is done with a stored connection: `sluice connections test-import`, `test-export` and `import`."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.failures import JsonObject
from app.cli.client.http import build_path, connect, read_object, request
from app.cli.client.mappings import choose_mapping
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_json, print_note
from app.cli.client.tables import TableColumn, print_table
from app.cli.importing import options
from app.cli.importing.options import add_file_options, drop_defaults, pick_parts
from app.cli.importing.waiting import OnFull, print_wait, try_until_accepted

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the connection")]
FilePath = Annotated[str, typer.Argument(metavar="PATH", help="File there, or a pattern in its last part: /in/*.csv")]
TestPath = Annotated[str, typer.Argument(metavar="PATH", help="File there, or a pattern; default: any file")]
Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="Folder there; default: the root of the connection")]
After = Annotated[str | None, typer.Option("--after", help="Go on after the files that an earlier call started")]

INCOMPLETE: Final = 1  # the test failed, or not all imports were started
STEPS: Final = (
    TableColumn("STEP", "step"),
    TableColumn("OK", "ok"),
    TableColumn("RESULT", lambda step: step.get("found") or step.get("why"), wraps=True),
)
STARTED: Final = (TableColumn("IMPORT", "importId"), TableColumn("FILE", "path", cut=True))


def check_import(
    name: NameOrId, path: TestPath = "", *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Test whether a file can be imported: connect, find it, read its beginning.

    Exit codes: 0 if it can, 1 if it cannot or the service refused to test it, 2 for anything else.
    """
    with connect(url, key, as_json=as_json) as client:
        run_test(client, name, "test-import", path, as_json=as_json)


def check_export(
    name: NameOrId, folder: Folder = "", *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Test whether a file can be delivered to a folder: write a small one, sluice-test.txt, and delete it.

    Exit codes: 0 if it can, 1 if it cannot or the service refused to test it, 2 for anything else.
    """
    with connect(url, key, as_json=as_json) as client:
        run_test(client, name, "test-export", folder, as_json=as_json)


def run_test(client: httpx.Client, name: str, test: str, path: str, *, as_json: bool) -> None:
    address = build_path("connections", find_connection(client, name)["id"], test)
    # A server that does not answer is given up by the service, not here.
    tested = read_object(request(client, "POST", address, json={"path": path}, timeout=None))
    report_test(tested, as_json=as_json)


def report_test(tested: JsonObject, *, as_json: bool) -> None:
    """Prints the steps of a test, and ends the command with INCOMPLETE if it has failed."""
    if as_json:
        print_json(tested)
    else:
        print_table(STEPS, tested["steps"])
    if not tested["ok"]:
        raise typer.Exit(INCOMPLETE)


@add_file_options
def import_from_connection(
    context: typer.Context,
    name: NameOrId,
    path: FilePath,
    *,
    type: options.Type = options.DEFAULT_TYPE,
    import_name: options.ImportName = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    delimiter: options.Delimiter = "auto",
    override: options.Override = True,
    only_empty: options.OnlyEmpty = False,
    format: options.Format = None,
    encoding: options.Encoding = None,
    blank_cells: options.BlankCells = None,
    null_marker: options.NullMarker = None,
    duplicates: options.Duplicates = None,
    unknown_columns: options.UnknownColumns = None,
    mapping: options.MappingName = None,
    after: After = None,
    wait_for_room: options.WaitForRoom = False,
    as_json: AsJson = False,
) -> None:
    """Start an import of a file, or of each file that matches a pattern, oldest first. Does not wait for their end.

    Exit codes: 0 if all were started, 1 if some found no room or the service refused them, 2 for anything else.
    """
    with connect(url, key, as_json=as_json) as client:
        start_imports(client, drop_defaults(context) if mapping else context.params)


def start_imports(client: httpx.Client, given: Mapping[str, Any]) -> None:
    """Starts and lists the imports that the options ask for. Raises typer.Exit if not all were started."""
    address = build_path("connections", find_connection(client, given["name"])["id"], "imports")
    on_full = print_wait if given["wait_for_room"] else None
    body = pick_parts(given) | {"path": given["path"]}
    if given["mapping"]:
        body = {"type": options.DEFAULT_TYPE, **choose_mapping(client, given["mapping"], given["type"]), **body}
    for number, answer in enumerate(start_each(client, address, body, given["after"], on_full)):
        if given["as_json"]:
            print_json(answer)
        else:
            print_table(STARTED, answer["results"], header=number == 0)
        if answer["left"] and on_full is None:
            hint = f"Call again with --after {answer['next']}, or use --wait-for-room"
            print_note(f"Files that found no room in the queue: {answer['left']:,}. {hint}")
            raise typer.Exit(INCOMPLETE)


def start_each(
    client: httpx.Client, path: str, body: Mapping[str, Any], after: str | None, on_full: OnFull | None
) -> Iterator[JsonObject]:
    """The answers of the service, each with the imports that found room. Without `on_full` there is one."""
    left = True
    while left:
        sent = {**body, "after": after} if after else dict(body)
        send = partial(request, client, "POST", path, json=sent, timeout=None)
        answer = read_object(try_until_accepted(send, on_full))
        after, left = answer["next"], bool(answer["left"]) and on_full is not None
        yield answer
