"""Rows of the audit log, listed and deleted."""

from typing import Final

from sqlalchemy import text

from app.storage.database import Session

PIECE: Final = 10_000  # rows of a transaction
# The lowest ids are the oldest rows, so little is read when these are young enough.
DROP: Final = text("""
DELETE FROM audit_log WHERE id IN (
    SELECT id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT :limit) oldest
    WHERE at < now() - make_interval(days => :days))""")


async def drop_old(session: Session, *, days: int) -> int:
    """Deletes some of what is older than so many days, of all accounts, and returns how much."""
    return (await session.execute(DROP, {"days": days, "limit": PIECE})).rowcount
