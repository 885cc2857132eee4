"""`sluice connections …`: stores, tests and deletes connections to other servers, and imports from them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.client.connections import find_connection
from app.cli.client.files import read_json_file
from app.cli.client.http import build_path, connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_facts, print_json, print_line, show_time
from app.cli.client.tables import TableColumn, print_table
from app.cli.managing import connection_options as options
from app.cli.managing import connection_use
from app.cli.managing.connection_options import build_members

connections = typer.Typer()

NameOrId = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the connection")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new connection")]


def server_of(connection: Mapping[str, Any]) -> str:
    """The host, with a port that is not the protocol's own, or the bucket."""
    host = connection.get("host", "")
    return f"{host}:{connection['port']}" if "port" in connection else host or connection.get("bucket", "")


LISTED: Final = (
    TableColumn("ID", "id"),
    TableColumn("NAME", "name", cut=True),
    TableColumn("TRANSPORT", "transport"),
    TableColumn("SERVER", server_of, cut=True),
    TableColumn("USER", "user", cut=True, spare=True),
    TableColumn("UPDATED", "updatedAt", show=show_time, spare=True),
)


@connections.command("list")
def list_connections(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the stored connections, ordered by name."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, "connections")
    if as_json:
        print_json(listed)
    else:
        print_table(LISTED, listed["results"])


@connections.command("show")
def show_connection(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a connection. Of its secrets only the names are shown."""
    with connect(url, key, as_json=as_json) as client:
        print_connection(read_object(request(client, "GET", path_of(client, name))), as_json=as_json)


def path_of(client: httpx.Client, name_or_id: str, *more: str) -> str:
    return build_path("connections", find_connection(client, name_or_id)["id"], *more)


def print_connection(stored: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(stored)
        return
    times = {"createdAt": show_time(stored["createdAt"]), "updatedAt": show_time(stored["updatedAt"])}
    facts = {**stored, "secrets": ", ".join(stored["secrets"]), **times}
    facts["usedBy"] = ", ".join(f"{each['kind']} {each['name']}" for each in stored.get("usedBy", ()))
    facts["lastTests"] = ", ".join(describe_test(*each) for each in stored.get("lastTests", {}).items())
    print_facts(facts)


def describe_test(purpose: str, test: Mapping[str, Any]) -> str:
    """Such as `export failed at write 2026-11-27 10:37`."""
    outcome = "ok" if test["ok"] else f"failed at {test['steps'][-1]['step']}"
    return f"{purpose} {outcome} {show_time(test['at'])}"


@connections.command("create")
def create_connection(
    context: typer.Context,
    name: NewName,
    *,
    file: options.Declaration = None,
    transport: options.Transport = None,
    host: options.Host = None,
    port: options.Port = None,
    user: options.User = None,
    root: options.Root = None,
    tls: options.Tls = None,
    host_key: options.HostKey = None,
    bucket: options.Bucket = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    path_style: options.PathStyle = None,
    password: options.Password = None,
    private_key: options.PrivateKey = None,
    passphrase: options.Passphrase = None,
    access_key: options.AccessKey = None,
    secret_key: options.SecretKey = None,
    session_token: options.SessionToken = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Store a connection, from options or from a JSON file. No server is called: use test-import to test it."""
    with connect(url, key, as_json=as_json) as client:
        body = {"name": name} | (read_json_file(file) if file else {}) | build_members(context.params)
        print_connection(read_object(request(client, "POST", "connections", json=body)), as_json=as_json)


@connections.command("put")
def put_connection(
    context: typer.Context,
    name: NameOrId,
    *,
    new_name: options.Rename = None,
    file: options.Declaration = None,
    transport: options.Transport = None,
    host: options.Host = None,
    port: options.Port = None,
    user: options.User = None,
    root: options.Root = None,
    tls: options.Tls = None,
    host_key: options.HostKey = None,
    bucket: options.Bucket = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    path_style: options.PathStyle = None,
    password: options.Password = None,
    private_key: options.PrivateKey = None,
    passphrase: options.Passphrase = None,
    access_key: options.AccessKey = None,
    secret_key: options.SecretKey = None,
    session_token: options.SessionToken = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Change a connection. What no option changes stays; with a file, only secrets stay that it does not have."""
    with connect(url, key, as_json=as_json) as client:
        replace_connection(client, name, context.params, as_json=as_json)


def replace_connection(client: httpx.Client, name: str, given: Mapping[str, Any], *, as_json: bool) -> None:
    stored = find_connection(client, name)
    kept = {member: stored[member] for member in options.SETTINGS.values() if member in stored}
    base = (
        {"name": stored["name"], **read_json_file(given["file"])} if given["file"] else {"name": stored["name"], **kept}
    )
    named = {"name": given["new_name"]} if given["new_name"] else {}
    body = base | named | build_members(given)
    answer = request(client, "PUT", build_path("connections", stored["id"]), json=body)
    print_connection(read_object(answer), as_json=as_json)


@connections.command("delete")
def delete_connection(name: NameOrId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Delete a connection. Imports that were started with it go on."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", path_of(client, name))
    if not as_json:
        print_line(f"Connection {name} is deleted")


connections.command("test-import")(connection_use.check_import)
connections.command("test-export")(connection_use.check_export)
connections.command("import")(connection_use.import_from_connection)
