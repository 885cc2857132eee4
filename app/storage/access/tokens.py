"""Access tokens, by their hashes. A token is live until it expires or its key is revoked."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import LIVE_KEY, STALE_KEY
from app.storage.database import ReadSession, Session

LIVE_TOKENS: Final = text(
    "SELECT t.hash, t.scopes AS token_scopes, t.expires_at, "
    "CAST(floor(extract(epoch FROM t.expires_at - now())) AS integer) AS seconds_left, "
    f"t.key_id, k.account_id, a.name AS account, a.quotas, k.scopes, {STALE_KEY} AS stale, "
    "a.suspended_at IS NOT NULL AS suspended "
    "FROM tokens t JOIN api_keys k ON k.id = t.key_id JOIN accounts a ON a.id = k.account_id "
    f"WHERE t.hash = ANY(:hashes) AND t.expires_at > now() AND {LIVE_KEY}"
)


async def add(session: Session, hashed: bytes, *, key_id: str, scopes: Sequence[str], seconds: int) -> datetime:
    """Stores a token that expires after so many seconds, and returns when, by the database's clock."""
    added = await session.execute(
        text(
            "INSERT INTO tokens (hash, key_id, scopes, created_at, expires_at) "
            "VALUES (:hash, :key_id, :scopes, now(), now() + make_interval(secs => :seconds)) RETURNING expires_at"
        ),
        {"hash": hashed, "key_id": key_id, "scopes": list(scopes), "seconds": seconds},
    )
    expires_at: datetime = added.scalar_one()
    return expires_at


async def find_live(session: ReadSession, hashes: Collection[bytes]) -> Mapping[bytes, RowMapping]:
    """The live tokens with these hashes, by hash: token_scopes, expires_at, seconds_left; and of its key: key_id,
    account_id, account (name), quotas (of the account), scopes, stale and suspended (as `accounts.find_keys`)."""
    found = await session.execute(LIVE_TOKENS, {"hashes": list(hashes)})
    return {row["hash"]: row for row in found.mappings()}


async def hold(session: Session, hashed: bytes) -> bool:
    """Whether the token is live, apart from its key. It cannot be revoked until the transaction ends."""
    found = await session.execute(
        text("SELECT hash FROM tokens WHERE hash = :hash AND expires_at > now() FOR SHARE"), {"hash": hashed}
    )
    return found.one_or_none() is not None


async def delete(session: Session, account_id: int, hashed: bytes) -> bool:
    """Whether the account had a token with this hash."""
    done = await session.execute(
        text(
            "DELETE FROM tokens USING api_keys k "
            "WHERE tokens.hash = :hash AND k.id = tokens.key_id AND k.account_id = :account_id"
        ),
        {"hash": hashed, "account_id": account_id},
    )
    return done.rowcount == 1


async def delete_expired(session: Session) -> int:
    """How many there were."""
    return (await session.execute(text("DELETE FROM tokens WHERE expires_at <= now()"))).rowcount
