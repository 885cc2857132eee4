"""Accepts a run of an item sync that a caller or a schedule starts."""

from dataclasses import dataclass, replace
from typing import Any

from app.auth.identity import Identity, ensure_live, keep_answer
from app.connections.connection import StoredConnection, load_connection
from app.connections.pull import Pull, describe_pull
from app.errors import Complaint, Refused, describe
from app.imports.sources.fetch import seal_pull
from app.runs.acceptance import accept_run, announce_run
from app.runs.changes.undoable import UNDOABLE
from app.runs.holding.brakes import BRAKES
from app.runs.holding.defaults import settle_brakes
from app.runs.kinds import Kind, Step
from app.runs.model import AccountId, Run, new_run_id
from app.runtime import Runtime
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.syncs import progress
from app.syncs.settings import Mode, SyncSettings, settings_to_json
from app.syncs.steps import DRY_RUN, SETTINGS
from app.syncs.stored import StoredSync, load_sync

TYPE = "items"  # the record type under which runs of item syncs are listed
STILL_OPEN = "A run of this item sync is still open. Wait until it has ended, or resume or cancel it if it is held"


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What is to be run. `mode` and `dry_run` are those of this run alone."""

    account_id: AccountId
    sync_id: str
    created_by: str  # the id of the API key, or of the schedule
    origin: str = "native"
    mode: Mode | None = None  # None: as the sync says
    dry_run: bool = False
    request_id: str = ""
    sender: Identity | None = None  # None: it is started by the clock


async def submit_sync(runtime: Runtime, wanted: SyncRequest) -> Run:
    """Accepts a run of an item sync. It connects to nothing: that is a part of the run.

    Raises Refused: not_found (the sync), invalid (its connection is gone), secrets_locked, sync_not_ended (its last run
    is still open), queue_full, not_authenticated.
    """
    async with runtime.database.transaction() as session:
        run = await store_sync_run(session, runtime, wanted)
        await keep_answer(session, wanted.sender, [run])
    return await announce_run(runtime, run)


async def store_sync_run(session: Session, runtime: Runtime, wanted: SyncRequest) -> Run:
    """Stores a run, as `submit_sync` does, within a transaction. Announce it after the commit."""
    if wanted.sender is not None:
        await ensure_live(session, wanted.sender)
    await accounts.lock(session, wanted.account_id)
    sync = await load_sync(session, wanted.account_id, wanted.sync_id)
    if await progress.has_open_run(session, sync.id):
        raise Refused("sync_not_ended", STILL_OPEN)
    settings, run_id = sync.declaration.settings, new_run_id()
    settings = replace(settings, mode=wanted.mode or settings.mode)
    settings = await settle_limits(session, wanted.account_id, settings)
    connection = await find_connection(session, runtime, wanted.account_id, sync)
    pull = Pull(connection.remote(), settings.items_path, connection.id)
    values = {
        "id": run_id,
        "sync_id": sync.id,
        "name": sync.declaration.name,
        "type": TYPE,
        "origin": wanted.origin,
        "request_id": wanted.request_id,
        "created_by": wanted.created_by,
        "options": {
            SETTINGS: settings_to_json(settings),
            DRY_RUN: wanted.dry_run,
            UNDOABLE: runtime.settings.undo_days > 0,
        },
        "plan": {},
        "file_bytes": 0,
        "file_sha256": "",
        "source": describe_pull(pull),
        "secret": seal_pull(runtime, run_id, pull),
    }
    return await accept_run(session, runtime, wanted.account_id, Kind.SYNC, Step.FETCH, values)


async def settle_limits(session: ReadSession, account_id: AccountId, settings: SyncSettings) -> SyncSettings:
    """The settings with the brakes of the account where they have none. An item sync always says itself which share of
    the records it may remove, if only that there is no limit."""
    brakes = await settle_brakes(
        session, account_id, settings.brakes, replaces=settings.mode == "full", removes=settings.mode == "full"
    )
    limits: dict[str, Any] = {name: getattr(brakes, name, None) for name in BRAKES}
    return replace(settings, **limits | {"max_removed_share": settings.max_removed_share})


async def find_connection(
    session: ReadSession, runtime: Runtime, account_id: AccountId, sync: StoredSync
) -> StoredConnection:
    """Raises Refused("invalid") if it was deleted."""
    try:
        return await load_connection(session, runtime.vault, account_id, sync.declaration.connection_id)
    except Refused:
        reason = "The connection of this item sync does not exist any more. Give the item sync another one"
        complaint = Complaint("connectionId", reason)
        raise Refused("invalid", describe([complaint]), [complaint]) from None
