"""The mark of a store, in the store and in the database: it tells an empty store from one that is not mounted."""

import asyncio
from contextlib import suppress
from typing import Final
from uuid import uuid4

from sqlalchemy import text

from app.storage.blobs.blob import Blobs
from app.storage.blobs.errors import UNKNOWN_STORE, BlobMissing, BlobsUnavailable
from app.storage.database import Database, ReadSession, Session

PROBES: Final = 20  # files that are looked for before a store without a mark is taken for ours

# Whoever comes second waits for the first to commit, and finds its id.
REMEMBER = "INSERT INTO blob_store (id) VALUES (:id) ON CONFLICT DO NOTHING"


async def recognise_store(database: Database, blobs: Blobs) -> None:
    """Tells the store which mark it must have. On a database that knows none yet, the mark is made: the store is not
    contacted otherwise. A store that is away then gets its mark at the next start: whoever starts the service may start
    the store after it. Raises UnknownStore if files that the database names are not there."""
    with suppress(StoreAway):
        async with database.transaction() as session:
            blobs.store_id = await find_store_id(session) or await mark_new_store(session, blobs)


class UnknownStore(BlobsUnavailable):
    """The store does not hold what the database names. It may be another one, or not mounted."""


class StoreAway(Exception):
    """The store cannot be marked yet."""


async def mark_new_store(session: Session, blobs: Blobs) -> str:
    """Raises UnknownStore, StoreAway."""
    names = await find_some_blobs(session)
    try:
        known = await asyncio.to_thread(holds_any, blobs, names)
        if known:
            return await mark_store(session, blobs)
    except BlobsUnavailable as away:
        raise StoreAway from away
    raise UnknownStore(UNKNOWN_STORE)


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
    except BlobMissing:
        return False
    return True
