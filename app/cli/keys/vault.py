"""`sluice vault …`: the keys under which credentials of sources are stored."""

import asyncio

import typer

from app.cli.keys.database import DatabaseTarget, opened, target
from app.cli.options import Data, Misused
from app.settings import Settings
from app.storage.access import sealed
from app.storage.database import Database
from app.vault import Vault, VaultError, build_vault

BATCH = 100  # rows that are locked at a time

vault = typer.Typer(no_args_is_help=True, help="Look after the credentials that are stored for sources.")


@vault.callback()
def vault_commands() -> None:
    """Makes `rotate` a command of its own: of a single one typer would make the whole."""


@vault.command("rotate")
def rotate(data: Data = None) -> None:
    """Seal all stored credentials anew, with the first of SLUICE_VAULT_KEYS.

    Run it after every API and worker has the new key in the first place and the old one behind it; then the old one may
    go. Running it again does no harm. Exit code 1: some are sealed with none of the keys, and were left as they are.
    """
    place = target(data)
    done, locked = asyncio.run(_rotate(place, _vault(place)))
    typer.echo(f"Sealed anew: {done}")
    if locked:
        typer.echo(f"Left, because no key opens them: {locked}", err=True)
        raise typer.Exit(1)


def _vault(place: DatabaseTarget) -> Vault:
    if place.secret_key is None:
        raise Misused("SLUICE_SECRET_KEY must be set, to what the API has (or name a running instance with --data)")
    given = Settings().vault_keys
    try:
        return build_vault(given.get_secret_value() if given else "", place.secret_key)
    except ValueError as wrong:
        raise Misused(f"SLUICE_VAULT_KEYS cannot be read; {wrong}") from None


async def _rotate(place: DatabaseTarget, keys: Vault) -> tuple[int, int]:
    """How many were sealed anew, and how many no key opens."""
    done = locked = 0
    async with opened(place) as database:
        for table in sealed.TABLES:
            after: str | None = ""
            while after is not None:
                after, resealed, unopened = await _rotate_some(database, table, after, keys)
                done, locked = done + resealed, locked + unopened
    return done, locked


async def _rotate_some(database: Database, table: str, after: str, keys: Vault) -> tuple[str | None, int, int]:
    """The rows that follow the id `after`, in one transaction: the last one's id (None: there are no more) and counts.
    A secret that is gone or replaced meanwhile is left alone: whoever did that had the new keys."""
    done = locked = 0
    async with database.transaction() as session:
        rows = await sealed.list_after(session, table, after, limit=BATCH)
        for row in rows:
            try:
                done += await sealed.replace(session, table, row, keys.reseal(row.secret))
            except VaultError:
                locked += 1
    return rows[-1].id if rows else None, done, locked
