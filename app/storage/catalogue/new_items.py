"""What a new item gets where its rows leave it out. Only the overlay knows which items are new."""

from typing import Final

from sqlalchemy import text

from app.storage.database import Session
from app.storage.merge import MergeTarget

COMPLETE: Final = """
UPDATE staged_records SET data = CAST(:defaults AS jsonb) || data
WHERE account_id = :account_id AND staged_by = :run_id AND type = 'items' AND base_updated_at IS NULL AND rows <> '{}'
    AND NOT data ?& ARRAY(SELECT jsonb_object_keys(CAST(:defaults AS jsonb)))"""


async def complete_new_items(session: Session, target: MergeTarget, defaults: str) -> None:
    """Gives new items those members of `defaults`, a JSON object, that they lack. It is no part of what their rows give
    them: should the item exist by the time it is written, it keeps its own."""
    await session.execute(text(COMPLETE), target.parameters() | {"defaults": defaults})
