"""Creates, lists and revokes API keys; only a keyed hash of a secret is stored."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.runs.model import AccountId
from app.storage.access import accounts
from app.storage.database import ReadSession, Session

# A fixed prefix, which scanners of source code and logs recognise.
PREFIX = "sluice_"

# Every scope and what it allows.
SCOPES: Mapping[str, str] = {
    "imports:read": "Read imports, their problems and failed rows, and coupon sets",
    "imports:write": "Start imports, create and rename coupon sets, write single products",
    "imports:delete": "Delete imports that have ended and single records, let imports replace a record type, and run "
    "item syncs in mode full",
    "records:read": "Read imported records",
    "types:read": "Read record types and their fields",
    "types:write": "Declare record types and custom fields",
    "mappings:read": "Read mapping templates, import with them, and have one suggested for a file",
    "mappings:write": "Create, replace and delete mapping templates",
    "connections:read": "Read connections (never their secrets), import from them and deliver exports to them",
    "connections:write": "Create, replace, delete and test connections",
    "exports:read": "Read exports and download their files",
    "exports:write": "Start exports, and delete those that have ended",
    "syncs:read": "Read item syncs, and what came of their runs",
    "syncs:write": "Create, replace, delete, test and run item syncs; with `imports:delete` in mode full, too",
    "schedules:read": "Read schedules, and what has become of their last start",
    "schedules:write": "Create, replace, pause and delete schedules, with the scopes for what they start",
    "feeds:read": "Read feeds, and which files they have seen",
    "feeds:write": "Create, replace, pause and delete feeds, with the scopes for what they import",
    "webhooks:read": "Read webhooks (never their secrets), and what was sent to them",
    "webhooks:write": "Create, change, test and delete webhooks, and send again what was sent to them",
    "audit:read": "Read the audit log: who has changed what, and from which address",
    "admin": "Everything above",
}
# What a person wants who lacks a scope, as in "You may not start imports".
DEEDS: Mapping[str, str] = {
    "imports:read": "see imports",
    "imports:write": "start imports",
    "imports:delete": "delete imports, or records by an import",
    "records:read": "see records",
    "types:read": "see record types",
    "types:write": "change record types",
    "mappings:read": "see mapping templates",
    "mappings:write": "change mapping templates",
    "connections:read": "see connections",
    "connections:write": "change connections",
    "exports:read": "see exports",
    "exports:write": "start or delete exports",
    "syncs:read": "see item syncs",
    "syncs:write": "change or run item syncs",
    "schedules:read": "see schedules",
    "schedules:write": "change schedules",
    "feeds:read": "see feeds",
    "feeds:write": "change feeds",
    "webhooks:read": "see webhooks",
    "webhooks:write": "change webhooks",
    "audit:read": "see the audit log",
    "admin": "see or change people and API keys",
}
# What tells of people and machines is given only to those who ask for it.
ASKED_FOR = frozenset({"audit:read", "admin"})
DEFAULT_SCOPES: tuple[str, ...] = tuple(scope for scope in SCOPES if scope not in ASKED_FOR)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known about a key; its secret is shown only when it is created."""

    id: str
    account: str
    scopes: tuple[str, ...]
    label: str
    created_by: str | None  # the person or the key that made it; None: the operator, with `sluice key create`
    made_by: str | None  # what that one is called
    created_at: datetime
    last_used_at: datetime | None  # to the minute
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """What somebody wants of a new key."""

    label: str
    scopes: tuple[str, ...]
    days: int | None = None  # until it expires; None: never


async def create_key(
    session: Session, *, account: str, scopes: Sequence[str], label: str, pepper: str, days: int | None = None
) -> str:
    """Creates a key and returns it as `id:secret`; it can be shown only once. A new account is created with its first
    key. Raises ValueError for a scope that does not exist."""
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ValueError(f"There is no scope {', '.join(unknown)}. The scopes are {', '.join(SCOPES)}")
    account_id = AccountId(await accounts.account_named(session, account))
    return await add_key(session, account_id, NewKey(label, tuple(scopes), days), pepper=pepper)


async def add_key(
    session: Session, account_id: AccountId, wanted: NewKey, *, pepper: str, created_by: str | None = None
) -> str:
    """Stores a key with a new secret, and returns it as `id:secret`."""
    key_id, secret = PREFIX + secrets.token_hex(8), secrets.token_urlsafe(32)
    await accounts.add_key(
        session,
        account_id,
        key_id,
        secret_hash=secret_hash(key_id, secret, pepper),
        scopes=list(wanted.scopes),
        label=wanted.label,
        created_by=created_by,
        days=wanted.days,
    )
    return f"{key_id}:{secret}"


async def list_keys(session: ReadSession, account: str | None) -> list[KeyInfo]:
    """All keys, or those of one account, by its name or number, oldest first."""
    return [key_from(row) for row in await accounts.keys(session, account)]


def key_from(row: Mapping[Any, Any]) -> KeyInfo:
    return KeyInfo(**{**row, "scopes": tuple(row["scopes"])})


async def revoke_key(session: Session, key_id: str) -> bool:
    """Revokes a key from the next request on. Returns whether there was a live key with that id."""
    return await accounts.revoke_key(session, key_id)


def secret_hash(key_id: str, secret: str, pepper: str) -> bytes:
    """What is stored. 256 random bits need no slow hash, and the pepper makes a stolen table useless."""
    return hmac.digest(pepper.encode(), f"{key_id}:{secret}".encode(), hashlib.sha256)
