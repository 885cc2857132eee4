"""`sluice key …`: who may call the API, and with what rights."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.auth.keys import DEFAULT_SCOPES, SCOPES, KeyInfo, create_key, list_keys, revoke_key
from app.cli.options import Data, Misused
from app.embedded import running_instance
from app.settings import Settings
from app.storage.database import Database, is_current

keys = typer.Typer(no_args_is_help=True, help="Create, list and revoke the keys of the API.")

Account = Annotated[str, typer.Option(help="Whose records the key reads and writes; made if it is new")]
OnlyAccount = Annotated[str | None, typer.Option("--account", help="Only the keys of this account")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help=f"A right; may be given several times. One of: {', '.join(SCOPES)}")
]
Label = Annotated[str, typer.Option(help="What the key is for, for people")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the colon")]


@dataclass(frozen=True, slots=True)
class Target:
    """The database that the keys are in, and the pepper of their hashes where it is known."""

    database_url: str
    pepper: str | None


@keys.command("create")
def create(account: Account, scope: Scopes = None, label: Label = "", data: Data = None) -> None:
    """Make a key and show it, once: only its hash is kept.

    The key is the last line of the output, in the form id:secret.
    """
    wanted = tuple(scope or DEFAULT_SCOPES)
    if unknown := [name for name in wanted if name not in SCOPES]:
        raise Misused(f"unknown scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    typer.echo(asyncio.run(_create(_target(data), account, wanted, label=label)))


@keys.command("list")
def show(account: OnlyAccount = None, data: Data = None) -> None:
    """List the keys; their secrets are not kept and cannot be shown."""
    found = asyncio.run(_list(_target(data), account))
    # A pipe has no width: wide enough that nothing is cut.
    console = Console()
    (console if console.is_terminal else Console(width=250)).print(_table(found))


@keys.command("revoke")
def revoke(key_id: KeyId, data: Data = None) -> None:
    """Take a key back, for good."""
    if not asyncio.run(_revoke(_target(data), key_id.partition(":")[0])):
        raise Misused(f"there is no valid key with the id {key_id.partition(':')[0]}")
    typer.echo("The key is revoked.")


def _target(data: Path | None) -> Target:
    """A running instance by its folder, else the database that the environment names."""
    settings = Settings()
    if data is None and settings.database_url:
        pepper = settings.secret_key.get_secret_value() if settings.secret_key else None
        return Target(settings.database_url.get_secret_value(), pepper)
    instance = running_instance(data or settings.data)
    return Target(instance.database_url, instance.secret_key)


async def _create(target: Target, account: str, scopes: Sequence[str], *, label: str) -> str:
    if target.pepper is None:
        raise Misused("SLUICE_SECRET_KEY must be set, to what the API has (or name a running instance with --data)")
    async with _opened(target) as database, database.transaction() as session:
        return await create_key(session, account=account, scopes=scopes, label=label, pepper=target.pepper)


async def _list(target: Target, account: str | None) -> Sequence[KeyInfo]:
    async with _opened(target) as database, database.read() as session:
        return await list_keys(session, account)


async def _revoke(target: Target, key_id: str) -> bool:
    async with _opened(target) as database, database.transaction() as session:
        return await revoke_key(session, key_id)


@asynccontextmanager
async def _opened(target: Target) -> AsyncIterator[Database]:
    database = Database(target.database_url, pool_size=1)
    try:
        async with database.read() as session:
            current = await is_current(session)
        if not current:
            raise Misused("the database does not have the newest schema; run: sluice migrate")
        yield database
    finally:
        await database.close()


def _table(found: Sequence[KeyInfo]) -> Table:
    table = Table("Key", "Account", "Scopes", "Label", "Created", "Revoked", box=None, pad_edge=False)
    for key in found:
        revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.id, key.account, " ".join(key.scopes), key.label, f"{key.created_at:%Y-%m-%d %H:%M}", revoked)
    return table
