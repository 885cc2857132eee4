"""The imports that came of one import, over any number of steps: rows of the table of runs."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

MOST_STEPS: Final = 100
MOST_MEMBERS: Final = 1_000
# Retries and corrections take the rows of their parent that failed; a rerun and an undo are families of their own. What
# an overlay holds is not written before it is applied.
FAMILY: Final = f"""
WITH RECURSIVE up AS (
    SELECT id, parent_id, relation, 1 AS step FROM runs WHERE id = :run_id AND account_id = :account_id
    UNION ALL
    SELECT p.id, p.parent_id, p.relation, up.step + 1 FROM up JOIN runs p ON p.id = up.parent_id
    WHERE up.relation IN ('retry', 'correction') AND p.account_id = :account_id AND up.step < {MOST_STEPS}
), down AS (
    SELECT id, 1 AS step FROM (SELECT id FROM up ORDER BY step DESC LIMIT 1) AS root
    UNION ALL
    SELECT c.id, down.step + 1 FROM down JOIN runs c ON c.parent_id = down.id
    WHERE c.relation IN ('retry', 'correction') AND down.step < {MOST_STEPS}
)
SELECT id, parent_id, total, failed, finished_at IS NOT NULL AS done,
    CASE WHEN state = 'finished' OR NOT (coalesce((options ->> 'staged')::boolean, false)
        OR coalesce((options ->> 'replace')::boolean, false))
    THEN created + updated + unchanged + skipped ELSE 0 END AS good
FROM runs WHERE id IN (SELECT id FROM down LIMIT {MOST_MEMBERS}) ORDER BY created_at, id"""


async def list_members(session: ReadSession, account_id: int, run_id: str) -> Sequence[RowMapping]:
    """The first import, and all that came of it, in the order of their acceptance: id, parent_id, total, failed, done,
    and how many rows are `good`, which are in the records."""
    found = await session.execute(text(FAMILY), {"account_id": account_id, "run_id": run_id})
    return found.mappings().all()
