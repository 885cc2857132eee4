"""`sluice account …`: shows and sets what an account has its imports and item syncs do where they do not say it."""

import typer

from app.cli.client.http import connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url, add_options
from app.cli.client.printing import print_facts, print_json, print_line
from app.cli.importing.options import BRAKE_OPTIONS, PARTS

account = typer.Typer()
PATH = "account/defaults"


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
