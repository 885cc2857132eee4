"""The stored connections of an account: listed, loaded, created, replaced and deleted, their secrets sealed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, Literal

from app.connections.declaration import (
    SECRETS,
    ConnectionDeclaration,
    build_remote,
    check_file_path,
    invalid,
    parse_declaration,
)
from app.connections.outcome import LastTest, Purpose, read_last_tests
from app.connections.pull import Pull
from app.errors import Complaint, Refused
from app.runs.model import AccountId
from app.storage.access import accounts, connections
from app.storage.database import ReadSession, Session
from app.transports.options import TRUST_FIRST
from app.transports.transport import Remote
from app.vault import Vault, VaultError


@dataclass(frozen=True, slots=True)
class ConnectionUse:
    """Something that an account has declared, and that calls a connection."""

    kind: Literal["feed", "schedule", "sync"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection as an account has stored it. A `locked` one lacks its secrets, because the keys of this service do
    not open them: it can still be shown, replaced and deleted."""

    id: str
    declaration: ConnectionDeclaration
    created_at: datetime
    updated_at: datetime
    locked: bool = False
    last_tests: Mapping[Purpose, LastTest] = field(default_factory=dict)  # since it was changed

    def remote(self) -> Remote:
        """Raises Refused("secrets_locked")."""
        if self.locked:
            raise secrets_locked("Send them again with PUT, or restore the keys that encrypted them")
        return build_remote({**self.declaration.settings, **self.declaration.secrets})

    def pull(self, path: str) -> Pull:
        """One file of the connection. Raises Refused: secrets_locked, invalid (not the path of one file)."""
        remote = self.remote()
        complaints = [*check_file_path(remote.scheme, path)]
        if complaints:
            raise invalid(complaints)
        return Pull(remote, path, self.id)


async def list_connections(session: ReadSession, vault: Vault, account_id: AccountId) -> list[StoredConnection]:
    """All connections of the account, ordered by name."""
    return [open_connection(vault, row) for row in await connections.list_all(session, account_id)]


async def find_names(session: ReadSession, account_id: AccountId, ids: Collection[str]) -> Mapping[str, str]:
    """The name of each of these connections that there is, by its id."""
    return await connections.find_names(session, account_id, ids) if ids else {}


async def load_connection(
    session: ReadSession, vault: Vault, account_id: AccountId, connection_id: str
) -> StoredConnection:
    """Raises Refused("not_found")."""
    row = await connections.get(session, account_id, connection_id)
    if row is None:
        raise not_found()
    return open_connection(vault, row)


async def create_connection(
    session: Session, vault: Vault, account_id: AccountId, body: Mapping[str, object]
) -> StoredConnection:
    """Stores a new connection; no server is called. Raises Refused: invalid (names every mistake), name_taken."""
    declaration, connection_id = parse_declaration(body), f"con_{token_hex(12)}"
    await accounts.lock(session, account_id)
    if await connections.find_id(session, account_id, declaration.name) is not None:
        raise name_taken(declaration.name)
    values = build_columns(vault, account_id, connection_id, declaration)
    row = await connections.add(session, {"id": connection_id, "account_id": account_id, **values})
    return describe_stored(row, declaration)


async def replace_connection(
    session: Session, vault: Vault, account_id: AccountId, connection_id: str, body: Mapping[str, object]
) -> StoredConnection:
    """Replaces a connection. Secrets that the body leaves out are kept, unless they would go to another server.

    Raises Refused: not_found, invalid (names every mistake), name_taken, secrets_locked (the body leaves out all
    secrets, and the stored ones cannot be opened).
    """
    await accounts.lock(session, account_id)
    stored = await load_connection(session, vault, account_id, connection_id)
    if stored.locked and all(body.get(member) is None for member in SECRETS):
        raise secrets_locked("Send them again")
    declaration = parse_declaration(body, stored.declaration)
    if await connections.find_id(session, account_id, declaration.name) not in (None, connection_id):
        raise name_taken(declaration.name)
    values = build_columns(vault, account_id, connection_id, declaration)
    if not declaration.is_same_remote(stored.declaration):
        values["last_tests"] = {}  # they were of another server, or other credentials
    if not stored.locked and declaration.secrets == stored.declaration.secrets:
        del values["secret"]  # sealed again it would look changed
    row = await connections.replace(session, account_id, connection_id, values)
    return describe_stored(row, declaration)


async def delete_connection(session: Session, account_id: AccountId, connection_id: str) -> None:
    """Deletes a connection. Imports that were started with it go on. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    if not await connections.remove(session, account_id, connection_id):
        raise not_found()


async def keep_test(
    session: Session,
    account_id: AccountId,
    connection: StoredConnection,
    outcome: Mapping[str, Mapping[str, Any]],
    *,
    host_key: str | None,
) -> None:
    """Keeps what a test found, by its purpose, unless the connection has changed since it was loaded. If it trusts the
    first host key, the one that the server presented is stored with it."""
    settings, since = connection.declaration.settings, connection.updated_at
    pinned = {**settings, "hostKey": host_key} if host_key and settings.get("hostKey") == TRUST_FIRST else None
    await connections.keep_test(session, account_id, connection.id, outcome, settings=pinned, updated_at=since)


async def list_uses(session: ReadSession, account_id: AccountId, connection_id: str) -> list[ConnectionUse]:
    """What of the account would fail without the connection, ordered by kind and name."""
    return [
        ConnectionUse(row.kind, row.id, row.name)
        for row in await connections.list_uses(session, account_id, connection_id)
    ]


def open_connection(vault: Vault, row: Mapping[Any, Any]) -> StoredConnection:
    try:
        secrets = vault.open(row["secret"], bound_to=seal_binding(row["account_id"], row["id"]))
    except VaultError:
        secrets = None
    return describe_stored(row, ConnectionDeclaration(row["settings"], secrets or {}), locked=secrets is None)


def describe_stored(
    row: Mapping[Any, Any], declaration: ConnectionDeclaration, *, locked: bool = False
) -> StoredConnection:
    tests = read_last_tests(row["last_tests"])
    return StoredConnection(row["id"], declaration, row["created_at"], row["updated_at"], locked, tests)


def build_columns(
    vault: Vault, account_id: AccountId, connection_id: str, declaration: ConnectionDeclaration
) -> dict[str, Any]:
    """The columns that a declaration fills, with its secrets sealed."""
    sealed = vault.seal(declaration.secrets, bound_to=seal_binding(account_id, connection_id))
    return {"name": declaration.name, "settings": dict(declaration.settings), "secret": sealed}


def seal_binding(account_id: AccountId, connection_id: str) -> str:
    """What the secrets are sealed to: moved to another row, or to another account's, they cannot be opened."""
    return f"connection:{account_id}:{connection_id}"


def not_found() -> Refused:
    return Refused("not_found", "There is no connection with this id")


def name_taken(name: str) -> Refused:
    detail = f'There is already a connection named "{name}"'
    return Refused("name_taken", detail, [Complaint("name", detail)])


def secrets_locked(remedy: str) -> Refused:
    return Refused(
        "secrets_locked",
        "The secrets of this connection cannot be decrypted with the keys of this service (`SLUICE_VAULT_KEYS`, or the "
        f"key derived from `SLUICE_SECRET_KEY`). {remedy}",
    )
