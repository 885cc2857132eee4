"""`sluice key …`: who may call the API, and with what rights."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.auth.keys import DEFAULT_SCOPES, SCOPES, KeyInfo, create_key, list_keys, revoke_key
from app.cli.keys.database import DatabaseTarget, opened, target
from app.cli.options import Data, Misused

keys = typer.Typer(no_args_is_help=True, help="Create, list and revoke the keys of the API.")

Account = Annotated[str, typer.Option(help="IdScope records the key reads and writes; made if it is new")]
OnlyAccount = Annotated[str | None, typer.Option("--account", help="Only the keys of this account")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help=f"A right; may be given several times. One of: {', '.join(SCOPES)}")
]
Label = Annotated[str, typer.Option(help="What the key is for, for people")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the colon")]


@keys.command("create")
def create(account: Account, scope: Scopes = None, label: Label = "", data: Data = None) -> None:
    """Make a key and show it, once: only its hash is kept.

    The key is the last line of the output, in the form id:secret.
    """
    wanted = tuple(scope or DEFAULT_SCOPES)
    if unknown := [name for name in wanted if name not in SCOPES]:
        raise Misused(f"unknown scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    typer.echo(asyncio.run(_create(target(data), account, wanted, label=label)))


@keys.command("list")
def show(account: OnlyAccount = None, data: Data = None) -> None:
    """List the keys; their secrets are not kept and cannot be shown."""
    found = asyncio.run(_list(target(data), account))
    # A pipe has no width: wide enough that nothing is cut.
    console = Console()
    (console if console.is_terminal else Console(width=250)).print(_table(found))


@keys.command("revoke")
def revoke(key_id: KeyId, data: Data = None) -> None:
    """Take a key back, for good."""
    if not asyncio.run(_revoke(target(data), key_id.partition(":")[0])):
        raise Misused(f"there is no valid key with the id {key_id.partition(':')[0]}")
    typer.echo("The key is revoked.")


async def _create(place: DatabaseTarget, account: str, scopes: Sequence[str], *, label: str) -> str:
    if place.secret_key is None:
        raise Misused("SLUICE_SECRET_KEY must be set, to what the API has (or name a running instance with --data)")
    async with opened(place) as database, database.transaction() as session:
        return await create_key(session, account=account, scopes=scopes, label=label, pepper=place.secret_key)


async def _list(place: DatabaseTarget, account: str | None) -> Sequence[KeyInfo]:
    async with opened(place) as database, database.read() as session:
        return await list_keys(session, account)


async def _revoke(place: DatabaseTarget, key_id: str) -> bool:
    async with opened(place) as database, database.transaction() as session:
        return await revoke_key(session, key_id)


def _table(found: Sequence[KeyInfo]) -> Table:
    table = Table("Key", "Account", "Scopes", "Label", "Created", "Revoked", box=None, pad_edge=False)
    for key in found:
        revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.id, key.account, " ".join(key.scopes), key.label, f"{key.created_at:%Y-%m-%d %H:%M}", revoked)
    return table
