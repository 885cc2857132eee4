"""Deletes an account with everything that it has: it is shut at once, and workers erase it in pieces.

Each piece is a transaction that holds the account's row and counts what it deletes, so a worker may die at any step,
and another one goes on. Nothing of a worker that has a run of the account counts any more: the run is taken from it.
"""

import asyncio
from typing import Final

from app.accounts.account import AdministeredAccount, hold_account, load_account
from app.errors import Complaint, Refused
from app.observe.process_events import AccountDeleted, AccountDeletionBegun, AccountErased
from app.runs.holding.cancellation import cancel_open
from app.runs.lifecycle import announce_end
from app.runs.model import Run, run_from
from app.runtime import Runtime
from app.storage.audit.noting import note_deed
from app.storage.database import Session
from app.storage.erasing import accounts as shut
from app.storage.erasing.parts import FILES, PARTS, Part, count_remaining, erase_some, forget_files, list_files

FILES_AT_ONCE: Final = 200


async def begin_deletion(session: Session, name: str, confirm: str) -> tuple[AdministeredAccount, list[Run]]:
    """Shuts the account: from the commit on nobody comes in, and no worker writes for it. Returns it with the runs that
    this has cancelled, to be announced after the commit. `confirm` is the name once more. Raises Refused: not_found,
    invalid, being_deleted."""
    found = await load_account(session, name)
    if confirm != found.name:
        reason = f"`confirm` must be the name of the account, `{found.name}`: everything that it has is erased"
        raise Refused("invalid", reason, [Complaint("confirm", reason)])
    await shut.hold_writers(session, found.id)
    account = await hold_account(session, found.name)
    open_runs = [run_from(row) for row in await shut.open_runs(session, account.id)]
    cancelled = [await cancel_open(session, run) for run in open_runs]
    await shut.mark(session, account.id)
    await note_deed(session, None, "account.deletion_begun", str(account.id), account.name)
    return await load_account(session, account.name), [run for run in cancelled if run is not None]


def announce_deletion(runtime: Runtime, account: AdministeredAccount, cancelled: list[Run], *, by: str) -> None:
    """Logs it. Call it after the commit."""
    for run in cancelled:
        announce_end(runtime, run)
    runtime.observe(AccountDeletionBegun(account.id, by, len(cancelled)))


async def erase_accounts(runtime: Runtime) -> None:
    """Erases what is left of all accounts that are being deleted. Raises BlobsUnavailable."""
    async with runtime.database.read() as session:
        waiting = await shut.being_deleted(session)
    for account_id in waiting:
        await erase_account(runtime, account_id)


async def erase_account(runtime: Runtime, account_id: int) -> None:
    """Does nothing while another worker is at it. Raises BlobsUnavailable."""
    if await erase_files(runtime, account_id) and await erase_rows(runtime, account_id):
        await finish(runtime, account_id)


async def erase_files(runtime: Runtime, account_id: int) -> bool:
    """Files before the rows that have them: what has no owner would be found only after a day. Deleting one twice does
    no harm. False if another worker is at it."""
    while True:
        async with runtime.database.read() as session:
            blobs = await list_files(session, account_id, limit=FILES_AT_ONCE)
        if not blobs:
            return True
        for blob in blobs:
            await asyncio.to_thread(runtime.blobs.delete, blob)
        async with runtime.database.transaction() as session:
            if not await shut.hold(session, account_id):
                return False
            await forget_files(session, account_id, blobs)
        runtime.observe(AccountErased(account_id, FILES, len(blobs)))


async def erase_rows(runtime: Runtime, account_id: int) -> bool:
    """False if another worker is at it."""
    for part in PARTS:
        rows: int | None = part.piece
        while rows == part.piece:
            rows = await erase_piece(runtime, account_id, part)
        if rows is None:
            return False
    return True


async def erase_piece(runtime: Runtime, account_id: int, part: Part) -> int | None:
    """How many rows it was; fewer than a piece: the last ones. None if another worker is at the account."""
    async with runtime.database.transaction() as session:
        if not await shut.hold(session, account_id):
            return None
        rows = await erase_some(session, account_id, part)
    if rows:
        runtime.observe(AccountErased(account_id, part.table, rows))
    return rows


async def finish(runtime: Runtime, account_id: int) -> None:
    """Deletes the account's row, unless something has come in the meantime: then the next round erases that."""
    async with runtime.database.transaction() as session:
        if not await shut.hold(session, account_id) or await count_remaining(session, account_id):
            return
        erased = (await shut.remove(session, account_id))["erased"]
    records, runs, files = (erased.get(each, 0) for each in ("records", "runs", "files"))
    runtime.observe(AccountDeleted(account_id, records, runs, files))
