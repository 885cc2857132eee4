"""Records that several rows of a sync have changed, and that are in the end what they were before."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from app.storage.applying.apply import list_ranges
from app.storage.catalogue.links import MINE
from app.storage.database import ReadSession, Session
from app.storage.merge import MergeTarget

SETTLED: Final = "settled-rows"  # no record has this type: staged keys that are numbers of rows

# Such a record is left alone, as a copy is of which nothing was changed. If rows have to leave a mark, it stays marked.
RESTORE: Final = f"""
WITH same AS (
    SELECT s.ctid AS place, s.rows, s.incoming IS NOT NULL AS marked, r.run_id, r.run_seq, r.run_row
    FROM staged_records s CROSS JOIN LATERAL (
        SELECT run_id, run_seq, run_row FROM records
        WHERE account_id = :account_id AND type = :type AND key = s.key AND updated_at = s.base_updated_at
            AND data = s.data OFFSET 0) r
    WHERE {MINE} AND type = :type AND key > :after AND key <= :upto
        AND base_updated_at IS NOT NULL AND cardinality(rows) > 1)
UPDATE staged_records o SET rows = '{{}}',
    run_id = CASE WHEN same.marked THEN o.run_id ELSE same.run_id END,
    run_seq = CASE WHEN same.marked THEN o.run_seq ELSE same.run_seq END,
    run_row = CASE WHEN same.marked THEN o.run_row ELSE same.run_row END
FROM same WHERE o.ctid = same.place
RETURNING same.rows"""

IDLE: Final = f"""
SELECT row FROM unnest(CAST(:rows AS integer[])) AS given(row)
EXCEPT SELECT unnest(rows) FROM staged_records WHERE {MINE} AND type = ANY(:types)
EXCEPT SELECT CAST(key AS integer) FROM staged_keys WHERE {MINE} AND type = '{SETTLED}'"""


async def restore_unchanged(session: Session, target: MergeTarget) -> Sequence[Sequence[int]]:
    """Leaves records of a type alone that are what they were, and returns for each of them the rows that have changed
    it."""
    restored: list[Sequence[int]] = []
    for each in await list_ranges(session, target):
        found = await session.execute(text(RESTORE), {**target.parameters(), **each.between})
        restored += found.scalars().all()
    return restored


async def find_idle(
    session: ReadSession, target: MergeTarget, rows: Sequence[int], types: Sequence[str]
) -> Sequence[int]:
    """Those of the rows that change no record of these types any more, and whose outcome is not SETTLED."""
    given = target.parameters() | {"rows": list(rows), "types": list(types)}
    return (await session.execute(text(IDLE), given)).scalars().all()
