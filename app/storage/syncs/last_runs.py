"""The last run of each item sync of an account."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text

from app.storage.database import ReadSession
from app.storage.runs import BRIEF
from app.storage.tables import runs

LAST = """
SELECT last.id FROM item_syncs s CROSS JOIN LATERAL (
    SELECT id FROM runs r WHERE r.sync_id = s.id AND r.account_id = s.account_id AND r.pruned_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT 1) AS last
WHERE s.account_id = :account_id"""


async def list_last(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """As lists of runs have them; none of a sync that has not run yet, or whose runs are gone."""
    ids = (await session.execute(text(LAST), {"account_id": account_id})).scalars().all()
    found = await session.execute(select(*BRIEF).where(runs.c.id.in_(ids)))
    return found.mappings().all()
