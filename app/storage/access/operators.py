"""The keys of the operator of the service, which belong to no account."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import LIVE_KEY, STALE_KEY
from app.storage.database import ReadSession, Session


async def add(session: Session, key_id: str, *, secret_hash: bytes, label: str, days: int | None) -> None:
    """`days`: until it expires; None: never."""
    await session.execute(
        text(
            "INSERT INTO operator_keys (id, secret_hash, label, created_at, expires_at) "
            "VALUES (:id, :secret_hash, :label, now(), now() + make_interval(days => CAST(:days AS integer)))"
        ),
        {"id": key_id, "secret_hash": secret_hash, "label": label, "days": days},
    )


async def key(session: ReadSession, key_id: str) -> RowMapping | None:
    """The live key with this id: secret_hash, label, stale (as `accounts.key`)."""
    found = await session.execute(
        text(
            f"SELECT k.secret_hash, k.label, {STALE_KEY} AS stale FROM operator_keys k WHERE k.id = :id AND {LIVE_KEY}"
        ),
        {"id": key_id},
    )
    return found.mappings().one_or_none()


async def hold(session: Session, key_id: str) -> bool:
    """Whether the key is live. It cannot be revoked until the transaction ends."""
    found = await session.execute(
        text(f"SELECT k.id FROM operator_keys k WHERE k.id = :id AND {LIVE_KEY} FOR SHARE"), {"id": key_id}
    )
    return found.one_or_none() is not None


async def note_use(session: Session, key_id: str) -> None:
    """As `accounts.note_use`."""
    await session.execute(
        text(
            "UPDATE operator_keys SET last_used_at = now() WHERE id = (SELECT k.id FROM operator_keys k "
            f"WHERE k.id = :id AND {STALE_KEY} FOR NO KEY UPDATE SKIP LOCKED)"
        ),
        {"id": key_id},
    )


async def keys(session: ReadSession) -> Sequence[RowMapping]:
    """All of them, oldest first: id, label, created_at, last_used_at, expires_at, revoked_at."""
    found = await session.execute(
        text(
            "SELECT id, label, created_at, last_used_at, expires_at, revoked_at FROM operator_keys "
            "ORDER BY created_at, id"
        )
    )
    return found.mappings().all()


async def revoke(session: Session, key_id: str) -> bool:
    """Whether there was such a key that was not revoked yet."""
    done = await session.execute(
        text("UPDATE operator_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL"), {"id": key_id}
    )
    return done.rowcount == 1
