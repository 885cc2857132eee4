"""Notes on runs which other run undoes them."""

from typing import Final

from sqlalchemy import select, text

from app.storage.database import Session
from app.storage.tables import runs

# The one that was accepted last, unless it has done nothing or is itself undone.
SETTLE: Final = """
UPDATE runs SET undone_by = (
    SELECT u.id FROM runs u WHERE u.parent_id = :id AND u.kind = 'undo' AND u.state NOT IN ('failed', 'cancelled')
        AND u.undone_by IS NULL ORDER BY u.seq DESC LIMIT 1)
WHERE id = :id"""


async def settle_undone(session: Session, undo_id: str) -> None:
    """To be called when an undo is accepted, and when it has ended without doing anything: notes for its parent which
    run undoes that. If the parent is an undo, too, so it does for the parent of that, and so on, because an undo that
    is undone is none. Each is locked before its undos are looked at: of two that come or go at a time the second one
    sees the first."""
    above = (await session.execute(select(runs.c.parent_id).where(runs.c.id == undo_id))).scalar_one()
    while above is not None:
        locked = select(runs.c.id, runs.c.kind, runs.c.parent_id).where(runs.c.id == above).with_for_update()
        parent = (await session.execute(locked)).one()
        await session.execute(text(SETTLE), {"id": parent.id})
        above = parent.parent_id if parent.kind == "undo" else None
