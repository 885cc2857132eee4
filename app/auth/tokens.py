"""Access tokens: short-lived stand-ins for a key, with fewer scopes; only a keyed hash of a token is stored."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.runs.model import AccountId
from app.storage.access import tokens
from app.storage.database import ReadSession, Session

# A fixed prefix, as keys have one: scanners of source code and logs recognise it.
PREFIX: Final = "sluice_at_"
TOKEN_PATTERN: Final = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")  # 256 bits
TOKEN_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A live token and what is known about it."""

    value: str = field(repr=False)
    key_id: str
    scopes: tuple[str, ...]
    expires_at: datetime
    seconds_left: int


async def issue(session: Session, key_id: str, scopes: Sequence[str], *, pepper: str) -> AccessToken:
    """Makes a new token for that key. It can be shown only once."""
    value = PREFIX + secrets.token_urlsafe(32)
    hashed = token_hash(value, pepper)
    expires_at = await tokens.add(session, hashed, key_id=key_id, scopes=scopes, seconds=TOKEN_SECONDS)
    return AccessToken(value, key_id, tuple(scopes), expires_at, TOKEN_SECONDS)


async def introspect(session: ReadSession, account_id: AccountId, value: str, *, pepper: str) -> AccessToken | None:
    """The account's live token, whichever of its keys issued it; None if there is no such token."""
    hashed = token_hash(value, pepper)
    row = (await tokens.find_live(session, [hashed])).get(hashed) if TOKEN_PATTERN.fullmatch(value) else None
    if row is None or row["account_id"] != account_id:
        return None
    return AccessToken(value, row["key_id"], tuple(row["token_scopes"]), row["expires_at"], row["seconds_left"])


async def revoke(session: Session, account_id: AccountId, value: str, *, pepper: str) -> bool:
    """Revokes a token from the next request on. Returns whether it belonged to the account."""
    return bool(TOKEN_PATTERN.fullmatch(value)) and await tokens.delete(session, account_id, token_hash(value, pepper))


def token_hash(value: str, pepper: str) -> bytes:
    """What is stored, for the reasons given at `app.auth.keys.secret_hash`."""
    return hmac.digest(pepper.encode(), value.encode(), hashlib.sha256)
