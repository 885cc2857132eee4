"""`sluice blobs …`: what an operator does with the store of uploaded files."""

import asyncio

import typer

from app.cli.keys.database import DatabaseTarget, find_database, open_database
from app.cli.options import Data
from app.runtime import open_store
from app.settings import Settings
from app.storage.blobs import Blobs
from app.storage.blobs.marker import adopt_store

blobs = typer.Typer()


@blobs.callback()
def blobs_commands() -> None:
    """Keeps `adopt` a subcommand: without a callback typer turns a single command into the group itself."""


@blobs.command("adopt")
def adopt(data: Data = None) -> None:
    """Go on with the store at SLUICE_BLOBS, though it is not the one that the database knows.

    Do this only when the files of the earlier store are lost for good or were copied here without their mark. Imports
    whose file is not here end with `source_missing`. Run it as the account that the service runs as.
    """
    settings = Settings()
    store = open_store(settings if data is None else settings.model_copy(update={"data": data}))
    asyncio.run(_adopt(find_database(data), store))
    typer.echo("The store is the one of this database from now on")


async def _adopt(target: DatabaseTarget, store: Blobs) -> None:
    async with open_database(target) as database:
        await adopt_store(database, store)
