"""Deletes what of the journal is too old to be undone, in pieces."""

from typing import Final

from sqlalchemy import text

from app.storage.database import Session

# An undo that was accepted in time may wait for so long.
GRACE_DAYS: Final = 2

# The pieces are in the order of their times on the disk, as a rule. A run may be held for weeks in the middle of its
# work, and is undone wholly or not at all.
DROP: Final = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} t WHERE {moment} < now() - make_interval(days => :days) AND NOT EXISTS (
        SELECT FROM runs WHERE id = t.run_id
            AND coalesce(finished_at > now() - make_interval(days => :days), true)) LIMIT :limit))"""
TABLES: Final = {"changed_records": "changed_at", "changed_batches": "changed_at", "created_records": "created_at"}
# Rows of a transaction. One of a batch has hundreds or thousands of records.
PIECE: Final = {"changed_records": 20_000, "changed_batches": 100, "created_records": 100}


async def drop_old(session: Session, *, days: int) -> int:
    """Deletes some of what was noted more than so many days ago and GRACE_DAYS, by runs that ended as long ago, and
    returns how much."""
    dropped = 0
    for table, moment in TABLES.items():
        given = {"days": days + GRACE_DAYS, "limit": PIECE[table]}
        dropped += (await session.execute(text(DROP.format(table=table, moment=moment)), given)).rowcount
    return dropped
