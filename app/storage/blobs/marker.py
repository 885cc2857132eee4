"""The mark of a store, in the store and in the database: it tells an empty store from one that is not mounted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from sqlalchemy import text

from app.storage.blobs.blob import Blobs
from app.storage.blobs.errors import BlobDamaged, BlobMissing, BlobsUnavailable, StoreUnknown
from app.storage.database import Database, DatabaseUnavailable, ReadSession, Session

UNRECOGNISED: Final = ""  # no store has this mark
FIRST_SECONDS: Final = 3.0  # so long the start of a process waits for a store that may be away
RETRY_SECONDS: Final = 2.0
PROBES: Final = 20  # files that are looked for before a store without a mark is taken for ours

# Whoever comes second waits for the first to commit, and finds its id.
REMEMBER = "INSERT INTO blob_store (id) VALUES (:id) ON CONFLICT DO NOTHING"


@asynccontextmanager
async def recognising_store(database: Database, blobs: Blobs) -> AsyncIterator[None]:
    """Recognises the store, and goes on trying while the block runs: until then the store counts as unavailable."""
    blobs.store_id = UNRECOGNISED
    trying = asyncio.create_task(keep_recognising(database, blobs))
    try:
        await asyncio.wait({trying}, timeout=FIRST_SECONDS)
        if trying.done():
            trying.result()
        yield
    finally:
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)


async def keep_recognising(database: Database, blobs: Blobs) -> None:
    while True:
        try:
            return await recognise_store(database, blobs)
        except (BlobsUnavailable, DatabaseUnavailable):
            await asyncio.sleep(RETRY_SECONDS)


async def recognise_store(database: Database, blobs: Blobs) -> None:
    """Tells the store which mark it must have. On a database that knows none yet, the mark is made: the store is not
    contacted otherwise. Raises BlobsUnavailable then if files that the database names are not there."""
    async with database.read() as session:
        known = await find_store_id(session)
        names = await find_some_blobs(session) if known is None else []
    if known is None:
        if not await asyncio.to_thread(holds_any, blobs, names):
            raise StoreUnknown
        async with database.transaction() as session:
            known = await mark_store(session, blobs)
    blobs.store_id = known


async def adopt_store(database: Database, blobs: Blobs) -> None:
    """Marks the store as the one that the database knows, whatever is in it."""
    async with database.transaction() as session:
        known = await find_store_id(session)
        if known is None:
            await mark_store(session, blobs)
        else:
            await asyncio.to_thread(blobs.write_mark, known)


async def mark_store(session: Session, blobs: Blobs) -> str:
    """The id of the store, which the database and the store know from now on."""
    found = await asyncio.to_thread(blobs.read_mark)  # a process that died before its commit may have left one
    await session.execute(text(REMEMBER), {"id": found or uuid4().hex})
    known = await find_store_id(session)
    assert known is not None  # noqa: S101  for the type only
    if known != found:
        await asyncio.to_thread(blobs.write_mark, known)
    return known


async def find_store_id(session: ReadSession) -> str | None:
    return (await session.execute(text("SELECT id FROM blob_store"))).scalar()


async def find_some_blobs(session: ReadSession) -> list[str]:
    found = await session.execute(text("SELECT blob FROM blob_owners LIMIT :limit"), {"limit": PROBES})
    return list(found.scalars())


def holds_any(blobs: Blobs, names: list[str]) -> bool:
    """Whether any of these blobs is stored, or there are none to look for. Blocking."""
    return not names or any(is_stored(blobs, name) for name in names)


def is_stored(blobs: Blobs, name: str) -> bool:
    try:
        blobs.open(name).close()
    except (BlobMissing, StoreUnknown):  # the second, as long as the store is not recognised
        return False
    except BlobDamaged:  # but here it is
        pass
    return True
