"""The item syncs of an account: listed, loaded, created, replaced and deleted. A run copies the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from app.connections.connection import load_connection
from app.errors import Complaint, Refused, describe, join_choices
from app.formats.characters import UNSTORABLE
from app.resources.canonical import to_nfc
from app.runs.model import AccountId, Run, run_from
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.declared import item_syncs
from app.storage.syncs import last_runs
from app.syncs.settings import SyncSettings, load_settings, settings_to_json
from app.vault import Vault

PREFIX: Final = "sync_"
MOST_SYNCS: Final = 100  # of an account
# Protocols that can list a folder. A web server cannot.
LISTS: Final = ("ftp", "ftps", "sftp", "s3")


@dataclass(frozen=True, slots=True)
class SyncDeclaration:
    """What a caller declares. The name is unique among the account's item syncs."""

    name: str
    connection_id: str
    settings: SyncSettings


@dataclass(frozen=True, slots=True)
class StoredSync:
    """An item sync as an account has stored it."""

    id: str
    declaration: SyncDeclaration
    created_at: datetime
    updated_at: datetime


async def list_syncs(session: ReadSession, account_id: AccountId) -> Sequence[StoredSync]:
    """Ordered by name."""
    return [sync_from(row) for row in await item_syncs.list_all(session, account_id)]


async def list_last_runs(session: ReadSession, account_id: AccountId) -> Mapping[str, Run]:
    """The last run of each item sync that has one, by the id of the sync."""
    runs = [run_from(row) for row in await last_runs.list_last(session, account_id)]
    return {str(run.sync_id): run for run in runs}


async def load_sync(session: ReadSession, account_id: AccountId, sync_id: str) -> StoredSync:
    """Raises Refused("not_found")."""
    row = None if UNSTORABLE.search(sync_id) else await item_syncs.get(session, account_id, sync_id)
    if row is None:
        raise not_found()
    return sync_from(row)


async def create_sync(
    session: Session, vault: Vault, account_id: AccountId, declaration: SyncDeclaration
) -> StoredSync:
    """Stores a new item sync; no server is called. Raises Refused: invalid, name_taken, secrets_locked."""
    await accounts.lock(session, account_id)
    await ensure_listable(session, vault, account_id, declaration.connection_id)
    if await item_syncs.count(session, account_id) >= MOST_SYNCS:
        reason = f"The account has {MOST_SYNCS} item syncs, and no more are allowed"
        raise Refused("invalid", reason, [Complaint("", reason)])
    columns = build_columns(declaration)
    if await item_syncs.find_id(session, account_id, columns["name"]) is not None:
        raise name_taken(declaration.name)
    values = {"id": f"{PREFIX}{token_hex(12)}", "account_id": account_id, **columns}
    return sync_from(await item_syncs.add(session, values))


async def replace_sync(
    session: Session, vault: Vault, account_id: AccountId, sync_id: str, declaration: SyncDeclaration
) -> StoredSync:
    """Gives an item sync other settings. Runs that were accepted keep theirs.

    Raises Refused: not_found, invalid, name_taken, secrets_locked.
    """
    await accounts.lock(session, account_id)
    await load_sync(session, account_id, sync_id)
    await ensure_listable(session, vault, account_id, declaration.connection_id)
    columns = build_columns(declaration)
    if await item_syncs.find_id(session, account_id, columns["name"]) not in (None, sync_id):
        raise name_taken(declaration.name)
    return sync_from(await item_syncs.replace(session, account_id, sync_id, columns))


async def delete_sync(session: Session, account_id: AccountId, sync_id: str) -> None:
    """Deletes an item sync. Its runs stay, and go on. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    if UNSTORABLE.search(sync_id) or not await item_syncs.remove(session, account_id, sync_id):
        raise not_found()


async def ensure_listable(session: ReadSession, vault: Vault, account_id: AccountId, connection_id: str) -> None:
    """Raises Refused: invalid for a connection that does not exist or cannot list a folder."""
    try:
        connection = await load_connection(session, vault, account_id, connection_id)
    except Refused as refused:
        complaint = Complaint("connectionId", refused.detail)
        raise Refused("invalid", describe([complaint]), [complaint]) from None
    transport = connection.declaration.settings["transport"]
    if transport not in LISTS:
        reason = f"`connectionId` is a connection over {transport}, and folders are listed over {join_choices(LISTS)}"
        raise Refused("invalid", reason, [Complaint("connectionId", reason)])


def build_columns(declaration: SyncDeclaration) -> dict[str, Any]:
    # Some keyboards and file systems write "é" as two characters: it is one name.
    return {
        "name": to_nfc(declaration.name),
        "connection_id": declaration.connection_id,
        "settings": settings_to_json(declaration.settings),
    }


def sync_from(row: Mapping[Any, Any]) -> StoredSync:
    declaration = SyncDeclaration(row["name"], row["connection_id"], load_settings(row["settings"]))
    return StoredSync(row["id"], declaration, row["created_at"], row["updated_at"])


def not_found() -> Refused:
    return Refused("not_found", "There is no item sync with this id")


def name_taken(name: str) -> Refused:
    detail = f'There is already an item sync named "{name}"'
    return Refused("name_taken", detail, [Complaint("name", detail)])
