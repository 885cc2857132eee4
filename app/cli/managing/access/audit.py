"""`sluice audit …`: shows who has changed what in the account, and what is for the operator alone."""

from typing import Annotated, Final

import typer

from app.cli.client.http import connect, fetch_pages
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url
from app.cli.client.printing import show_time
from app.cli.client.tables import TableColumn, print_pages

audit = typer.Typer()

LARGEST_PAGE: Final = 1_000
LISTED: Final = (
    TableColumn("TIME", "at", show=show_time),
    TableColumn("WHAT", "summary", cut=True, least=40),
    TableColumn("ON", lambda entry: entry["what"].get("id", ""), spare=True, cut=True),
    TableColumn("SURFACE", "surface", spare=True),
    TableColumn("FROM", "address"),
)


@audit.callback()
def audit_commands() -> None:
    """Keeps `list` a subcommand: without a callback typer turns a single command into the group itself."""


@audit.command("list")
def list_audit_log(
    *,
    action: Annotated[str | None, typer.Option(help="Only what is called so, such as connection.changed")] = None,
    actor: Annotated[
        str | None, typer.Option(help="Only what this key, person or schedule did, by its id or e-mail address")
    ] = None,
    what: Annotated[str | None, typer.Option(help="Only what was done to what has this id")] = None,
    since: Annotated[str | None, typer.Option(help="Only what was done since, such as 2026-11-27T10:00:00Z")] = None,
    before: Annotated[str | None, typer.Option(help="Only what was done before")] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="What is in no account's log, with an operator's key")
    ] = False,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """List who has changed what in the account, newest first. The key needs the scope `audit:read`.

    With --operator and the key of an operator: keys of the operator, deletions of accounts, and attempts to sign in
    with an address that nobody has.
    """
    given = {"action": action, "actor": actor, "what": what, "since": since, "before": before}
    filters = {name: value for name, value in given.items() if value}
    with connect(url, key, as_json=as_json) as client:
        path = "admin/audit" if operator else "audit"
        pages = fetch_pages(client, path, limit=limit, largest=LARGEST_PAGE, **filters)
        print_pages(LISTED, pages, as_json=as_json)
