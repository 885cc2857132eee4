"""The imports that came of one import, over any number of steps: rows of the table of runs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

MOST_STEPS: Final = 100
MOST_MEMBERS: Final = 1_000
# Retries and corrections take the rows of their parent that failed; a rerun and an undo are families of their own. What
# an overlay holds is not written before it is applied.
# What was undone is not in the records. The run that has undone it may have been deleted since.
UNDONE: Final = """(r.undone_by IS NOT NULL
        AND coalesce((SELECT u.state = 'finished' FROM runs u WHERE u.id = r.undone_by), true))"""
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
SELECT r.id, r.parent_id, r.total, r.failed, r.file_sha256, r.finished_at IS NOT NULL AS done,
    t.run_id IS NOT NULL AS apart,
    CASE WHEN NOT {UNDONE} AND (r.state = 'finished' OR NOT (coalesce((r.options ->> 'staged')::boolean, false)
        OR coalesce((r.options ->> 'replace')::boolean, false)))
    THEN r.created + r.updated + r.unchanged + r.skipped ELSE 0 END AS good
FROM runs r LEFT JOIN taken_rows t ON t.run_id = r.id
WHERE r.id IN (SELECT id FROM down LIMIT {MOST_MEMBERS}) ORDER BY r.created_at, r.id"""


async def list_members(session: ReadSession, account_id: int, run_id: str) -> Sequence[RowMapping]:
    """The first import, and all that came of it, in the order of their acceptance: id, parent_id, total, failed, done,
    file_sha256, whether its rows are in no other member of the same parent (`apart`), and how many rows are `good`,
    which are in the records."""
    found = await session.execute(text(FAMILY), {"account_id": account_id, "run_id": run_id})
    return found.mappings().all()


async def list_families(
    session: ReadSession, members: Collection[tuple[int, str]]
) -> Mapping[tuple[int, str], Sequence[RowMapping]]:
    """The same for each of these runs, by its account and its id."""
    return {each: await list_members(session, *each) for each in members}
