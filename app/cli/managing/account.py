"""`sluice account …`: what an account may have and sets for its imports; and with an operator's key all accounts."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from app.cli.client.http import build_path, connect, fetch_pages, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url, add_options
from app.cli.client.printing import print_facts, print_json, print_line, show_members, show_time
from app.cli.client.tables import TableColumn, print_pages, print_table
from app.cli.importing.options import BRAKE_OPTIONS, PARTS

account = typer.Typer()
PATH = "account/defaults"
ADMIN: Final = ("admin", "accounts")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account, or its number in logs")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new account")]
OptionalName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of an account, with an operator's key; default: the key's own")
]
Confirm = Annotated[str, typer.Option("--confirm", help="The name once more; default: it is asked for")]
Reset = Annotated[
    list[str] | None, typer.Option("--reset", help="Quota that is to be as for every account, can be repeated")
]
Suspended = Annotated[
    bool | None,
    typer.Option(
        "--suspended/--active", help="Let nobody in and let its work wait, or let it go on", show_default=False
    ),
]
Label = Annotated[str, typer.Option("--label", help="What the key is for")]
Scopes = Annotated[list[str], typer.Option("--scope", help="Scope of the key, can be repeated")]
Days = Annotated[
    int | None, typer.Option("--expires-in-days", min=1, help="After how many days the key ends. Default: never")
]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the colon")]

# The option of a quota -> its member in requests; `app.quotas.quota.QUOTAS` has the same.
QUOTAS: Final[Mapping[str, str]] = {
    "open_imports": "openImports",
    "file_bytes": "fileBytes",
    "retention_days": "retentionDays",
    "records": "records",
    "stored_bytes": "storedBytes",
    "keys": "keys",
}
QUOTA_OPTIONS: Final[Mapping[str, tuple[type, str]]] = {
    "open_imports": (int, "Imports that may wait, run or be halted at a time"),
    "file_bytes": (int, "The largest file, in bytes"),
    "retention_days": (int, "Days that runs and their files are kept"),
    "records": (int, "Records of all types"),
    "stored_bytes": (int, "Bytes of stored files"),
    "keys": (int, "API keys that are not revoked"),
}
LISTED: Final = (
    TableColumn("NAME", "name", cut=True),
    TableColumn("ID", "id"),
    TableColumn("STATUS", "status"),
    TableColumn("CREATED", "createdAt", show=show_time),
    TableColumn("QUOTAS", lambda each: show_members(each["quotas"]), wraps=True),
)
KEYS: Final = (
    TableColumn("KEY", "id"),
    TableColumn("SCOPES", lambda key: " ".join(key["scopes"]), wraps=True),
    TableColumn("LABEL", "label", cut=True),
    TableColumn("CREATED", "createdAt", show=show_time, spare=True),
    TableColumn("USED", "lastUsedAt", show=show_time),
    TableColumn("EXPIRES", "expiresAt", show=show_time),
)


@account.command("defaults")
def show_defaults(*, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show the limits at which imports and item syncs of the account are halted that do not set their own."""
    with connect(url, key, as_json=as_json) as client:
        found = get_object(client, PATH)
    if as_json:
        print_json(found)
    elif found:
        print_facts(found)
    else:
        print_line("The account sets no limits")


def set_defaults(context: typer.Context, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Set these limits for all imports and item syncs of the account that do not set their own, and remove all others.
    Needs a key with the scope admin."""
    limits = {PARTS[name]: context.params[name] for name in BRAKE_OPTIONS if context.params[name] is not None}
    with connect(url, key, as_json=as_json) as client:
        stored = read_object(request(client, "PUT", PATH, json=limits))
    if as_json:
        print_json(stored)
    else:
        print_line("The limits of the account are set")


account.command("set-defaults")(add_options(set_defaults, BRAKE_OPTIONS))


@account.command("list")
def list_accounts(*, limit: Limit = 100, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List all accounts, with an operator's key: `sluice key create --operator` makes one."""
    with connect(url, key, as_json=as_json) as client:
        print_pages(LISTED, fetch_pages(client, build_path(*ADMIN), limit=limit), as_json=as_json)


@account.command("show")
def show_account(name: OptionalName = "", *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show what an account may have, and what it has; while it is being deleted, how far that is."""
    with connect(url, key, as_json=as_json) as client:
        print_account(get_object(client, build_path(*ADMIN, name) if name else "account"), as_json=as_json)


def print_account(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    deletion = found.get("deletion", {})
    print_facts(
        {
            "Name": found["name"],
            "Number": found.get("id"),
            "Status": found.get("status"),
            "Limits": show_members(found["limits"]),
            "In use": show_members(found["use"]),
            "Being deleted since": show_time(deletion.get("since")),
            "Erased": show_members(deletion.get("erased")),
            "Remaining": show_members(deletion.get("remaining")),
        }
    )


def read_quotas(context: typer.Context) -> dict[str, int | None]:
    return {QUOTAS[name]: context.params[name] for name in QUOTA_OPTIONS if context.params[name] is not None}


def create_account(
    context: typer.Context, name: NewName, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Create an account, with an operator's key. `sluice account create-key` makes its first API key."""
    body = {"name": name, "quotas": read_quotas(context)}
    with connect(url, key, as_json=as_json) as client:
        print_account(read_object(request(client, "POST", build_path(*ADMIN), json=body)), as_json=as_json)


account.command("create")(add_options(create_account, QUOTA_OPTIONS))


def set_quotas(
    context: typer.Context,
    name: Name,
    *,
    reset: Reset = None,
    suspended: Suspended = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Set quotas of an account, or suspend it, with an operator's key. What is not named stays as it is."""
    members: dict[str, int | None] = {QUOTAS.get(each.replace("-", "_"), each): None for each in reset or ()}
    with connect(url, key, as_json=as_json) as client:
        body = {"quotas": members | read_quotas(context)} | ({} if suspended is None else {"suspended": suspended})
        print_account(read_object(request(client, "PATCH", build_path(*ADMIN, name), json=body)), as_json=as_json)


account.command("set")(add_options(set_quotas, QUOTA_OPTIONS))


@account.command("delete")
def delete_account(
    name: Name, *, confirm: Confirm = "", url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Delete an account with everything that it has, for good, with an operator's key.

    Nobody comes in any more at once. Workers erase the rest; `sluice account show` tells how far they are.
    """
    with connect(url, key, as_json=as_json) as client:
        confirm = confirm or typer.prompt(f"Type {name} to erase everything that the account has", err=True)
        deleted = request(client, "DELETE", build_path(*ADMIN, name), params={"confirm": confirm})
        print_account(read_object(deleted), as_json=as_json)


@account.command("keys")
def list_keys(name: Name, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """List the API keys of an account, with an operator's key."""
    with connect(url, key, as_json=as_json) as client:
        listed = get_object(client, build_path(*ADMIN, name, "keys"))
    if as_json:
        print_json(listed)
    else:
        print_table(KEYS, listed["results"])


@account.command("create-key")
def create_key(
    name: Name,
    *,
    label: Label,
    scope: Scopes,
    expires_in_days: Days = None,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Make an API key of an account, with an operator's key. It is shown only now, as id:secret."""
    body = {"label": label, "scopes": scope, "expiresInDays": expires_in_days}
    with connect(url, key, as_json=as_json) as client:
        made = read_object(request(client, "POST", build_path(*ADMIN, name, "keys"), json=body))
    if as_json:
        print_json(made)
    else:
        print_line(made["key"])


@account.command("revoke-key")
def revoke_key(name: Name, key_id: KeyId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Revoke an API key of an account for good, with an operator's key."""
    with connect(url, key, as_json=as_json) as client:
        request(client, "DELETE", build_path(*ADMIN, name, "keys", key_id.partition(":")[0]))
    print_line("The key is revoked")
