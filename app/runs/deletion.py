"""Deletes runs that have ended, and stored files and overlays that nothing needs any more."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from app.errors import Refused
from app.observe.events import OrphanBlobsDeleted, RunDeleted, RunsPruned
from app.runs import status
from app.runs.kinds import Kind
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage import runs
from app.storage.applying import closing
from app.storage.blobs import BlobsUnavailable, owners
from app.storage.database import DatabaseUnavailable
from app.storage.retention import tombstones
from app.storage.syncs import files

NEEDED = (
    "An import of the type `{type}` that was accepted before this one has not ended. It must not bring back what this "
    "one has removed, so delete this one after that"
)
ORPHAN_SECONDS = 86_400.0  # a blob this old without an owner belongs to nobody, even if some clock is hours wrong


async def delete_run(runtime: Runtime, account_id: AccountId, run_id: str, *, kind: Kind = Kind.IMPORT) -> None:
    """Deletes an ended run with its problems and, if nothing else needs it, its file. The records it wrote stay.

    Raises Refused: not_found, gone, import_not_ended, export_not_ended.
    """
    async with runtime.database.transaction() as session:
        days = runtime.settings.retention_days
        run = await status.find_run(session, account_id, run_id, kind=kind, retention_days=days, whole=False)
        if (run.removed or run.replaces) and await closing.is_older_open(session, account_id, run.type, run.seq):
            raise Refused("import_not_ended", NEEDED.format(type=run.type))
        deleted = await runs.delete_ended(session, account_id, run.id)
        if deleted is None:
            raise Refused(
                f"{kind}_not_ended", f"Only an {kind} that has ended can be deleted, and this one is {run.state}"
            )
    # The run is gone by now. If its file cannot be deleted the sweep does it later, because nothing needs it any more.
    with suppress(BlobsUnavailable, DatabaseUnavailable):
        await delete_unowned(runtime, filter(None, [deleted["blob"]]))
    runtime.observe(RunDeleted(run.id, account_id))


async def prune_runs(runtime: Runtime) -> None:
    """Strips runs past their retention down to a tombstone, and deletes their files. Deletes tombstones past theirs."""
    async with runtime.database.transaction() as session:
        pruned = await tombstones.prune(session, runtime.settings.retention_days)
        fetched = await files.drop_pruned(session)
        forgotten = await tombstones.forget(session, runtime.settings.tombstone_days)
    await delete_unowned(runtime, filter(None, [*pruned, *fetched]))
    if pruned or forgotten:
        runtime.observe(RunsPruned(len(pruned), forgotten))


async def sweep_blobs(runtime: Runtime) -> None:
    """Deletes stored files that nothing owns, such as those of uploads whose request broke off."""
    stale = await asyncio.to_thread(lambda: list(runtime.blobs.list_older_than(ORPHAN_SECONDS)))
    deleted = await delete_unowned(runtime, stale)
    if deleted:
        runtime.observe(OrphanBlobsDeleted(deleted))


async def sweep_overlays(runtime: Runtime) -> None:
    """Deletes what runs that have ended had staged, if their worker could not."""
    async with runtime.database.read() as session:
        orphans = await closing.find_orphans(session)
    for account_id, run_id in orphans:
        await drop_overlay(runtime, account_id, run_id)


async def drop_overlay(runtime: Runtime, account_id: int, run_id: str) -> None:
    """Deletes what a run that has ended had staged, unless it says what an older one must not create again. If this
    breaks off the sweep goes on with it."""
    async with runtime.database.read() as session:
        if await closing.is_needed(session, run_id):
            return
    dropped = 1
    while dropped:
        async with runtime.database.transaction() as session:
            dropped = await closing.drop_some(session, account_id, run_id)


async def delete_unowned(runtime: Runtime, blobs: Iterable[str]) -> int:
    """Deletes those of the stored files that have no owner, and returns how many. Each is looked up just before it is
    deleted: deleting a thousand takes minutes, in which one could get an owner. Raises BlobsUnavailable."""
    deleted = 0
    for blob in blobs:
        async with runtime.database.read() as session:
            owned = await owners.is_owned(session, blob)
        if not owned:
            await asyncio.to_thread(runtime.blobs.delete, blob)
            deleted += 1
    return deleted
