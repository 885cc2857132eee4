"""`sluice vault …`: re-encrypts stored credentials after a change of keys."""

import asyncio

import typer

from app.cli.keys.database import DatabaseTarget, find_database, open_database
from app.cli.options import Data, UsageError
from app.settings import Settings
from app.storage.access import sealed
from app.storage.database import Database
from app.vault import Vault, VaultError, build_vault

BATCH = 100  # rows locked at a time

vault = typer.Typer()


@vault.callback()
def vault_commands() -> None:
    """Keeps `rotate` a subcommand: without a callback typer turns a single command into the group itself."""


@vault.command("rotate")
def rotate(data: Data = None) -> None:
    """Encrypt all stored credentials again, with the first key in SLUICE_VAULT_KEYS.

    Before it, put the new key first and the old key after it in the settings of every API and worker. After it, the old
    key can be removed. Running it again does no harm. Exit code 1: some credentials could not be decrypted with any of
    the keys and were left as they are.
    """
    target = find_database(data)
    done, locked = asyncio.run(_rotate(target, _open_vault(target)))
    typer.echo(f"Encrypted again: {done}")
    if locked:
        typer.echo(f"Left as they are, because no key decrypts them: {locked}", err=True)
        raise typer.Exit(1)


def _open_vault(target: DatabaseTarget) -> Vault:
    pepper = target.require_pepper()
    vault_keys = Settings().vault_keys
    try:
        return build_vault(vault_keys.get_secret_value() if vault_keys else "", pepper)
    except ValueError as wrong:
        raise UsageError(f"SLUICE_VAULT_KEYS is not valid: {wrong}") from None


async def _rotate(target: DatabaseTarget, keys: Vault) -> tuple[int, int]:
    """How many were encrypted again, and how many no key decrypts."""
    done = locked = 0
    async with open_database(target) as database:
        for table in sealed.TABLES:
            after: str | None = ""
            while after is not None:
                after, resealed, unopened = await _rotate_batch(database, table, after, keys)
                done, locked = done + resealed, locked + unopened
    return done, locked


async def _rotate_batch(database: Database, table: str, after: str, keys: Vault) -> tuple[str | None, int, int]:
    """Rotates the rows after the id `after` in one transaction.

    Returns the id of the last row (None if there are no more), how many were encrypted again and how many no key
    decrypts. A secret that is deleted or replaced meanwhile is left alone: whoever replaced it had the new keys.
    """
    done = locked = 0
    async with database.transaction() as session:
        rows = await sealed.list_after(session, table, after, limit=BATCH)
        for row in rows:
            try:
                done += await sealed.replace(session, table, row, keys.reseal(row.secret))
            except VaultError:
                locked += 1
    return rows[-1].id if rows else None, done, locked
