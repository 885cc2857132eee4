"""The operator of the service, by a key that belongs to no account: it opens `/admin`, and nothing of any account."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.auth.credentials import Credentials, PresentedKey
from app.auth.keys import PREFIX, secret_hash
from app.errors import Refused
from app.storage.access import operators
from app.storage.database import ReadSession, Session

OPERATOR_PREFIX: Final = f"{PREFIX}operator_"
OPERATOR_KEY: Final = re.compile(re.escape(OPERATOR_PREFIX) + r"[0-9a-f]{16}")
NOT_AN_OPERATOR: Final = (
    "The key of an operator is required, which `sluice key create --operator` makes. The key of an account opens "
    "nothing here"
)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who administers accounts. `id` is that of the key."""

    id: str
    label: str
    stale: bool  # the last use of the key has to be written again


@dataclass(frozen=True, slots=True)
class OperatorKeyInfo:
    """What is known about a key of the operator."""

    id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


async def create_operator_key(session: Session, *, label: str, days: int | None, pepper: str) -> str:
    """A new key as `id:secret`, which can be shown only once. `days`: until it expires; None: never."""
    key_id, secret = OPERATOR_PREFIX + secrets.token_hex(8), secrets.token_urlsafe(32)
    await operators.add(session, key_id, secret_hash=secret_hash(key_id, secret, pepper), label=label, days=days)
    return f"{key_id}:{secret}"


async def list_operator_keys(session: ReadSession) -> list[OperatorKeyInfo]:
    """Oldest first, revoked ones too."""
    return [OperatorKeyInfo(**row) for row in await operators.keys(session)]


async def authenticate_operator(
    session: ReadSession, credentials: Credentials | None, *, pepper: str
) -> Operator | None:
    """None if it is not the live key of an operator. Takes the same time whether a key is unknown, revoked or wrong."""
    presented = credentials if isinstance(credentials, PresentedKey) else PresentedKey("", "")
    row = await operators.key(session, presented.key_id) if OPERATOR_KEY.fullmatch(presented.key_id) else None
    expected = bytes(32) if row is None else row["secret_hash"]
    secret_matches = hmac.compare_digest(secret_hash(presented.key_id, presented.secret, pepper), expected)
    if row is None or not secret_matches:
        return None
    return Operator(presented.key_id, row["label"], row["stale"])


async def ensure_operator(session: Session, operator: Operator) -> None:
    """Identifies the operator again, in the transaction that stores what was sent. Raises
    Refused("not_authenticated")."""
    if not await operators.hold(session, operator.id):
        raise Refused("not_authenticated", "The key was revoked while the request was being received")
