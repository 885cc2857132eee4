"""What is noted of one record, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

PAGE_BYTES: Final = 4_194_304  # of what records were before; the change that goes beyond is the last

# Of what is noted for many records at once the keys are gone through where this one may be among them, and what was
# before is unpacked only where it is. A later run that had the key and changed nothing has left its own row, but not
# its id.
LIST: Final = """
WITH batched AS MATERIALIZED (
    SELECT b.id, found.place FROM changed_batches b
    CROSS JOIN LATERAL (SELECT array_position(b.keys, CAST(:key AS text)) AS place OFFSET 0) found
    WHERE account_id = :account_id AND type = :type AND first_key <= :key AND last_key >= :key
        AND found.place IS NOT NULL
),
noted AS (
    (SELECT id, outcome, run_id, run_row, sent_by, changed_at, before, before_run_id, before_run_row, before_run_seq,
        before_created_at, before_updated_at
    FROM changed_records WHERE account_id = :account_id AND type = :type AND key = :key
        AND id <= coalesce(CAST(:upto AS bigint), id) ORDER BY id DESC LIMIT :limit)
    UNION ALL
    (SELECT id, outcome, run_id, rows[place], NULL, changed_at, befores[place], before_run_id, before_rows[place],
        before_seqs[place], before_created_at[place], before_updated_at[place]
    FROM batched JOIN changed_batches USING (id) WHERE id <= coalesce(CAST(:upto AS bigint), id)
    ORDER BY id DESC LIMIT :limit)
)
SELECT id, outcome, run_id, run_row, sent_by, changed_at, before, before_run_id, before_created_at, before_updated_at,
    (SELECT before_run_row FROM runs WHERE id = before_run_id AND seq = before_run_seq) AS before_run_row,
    least((SELECT min(id) FROM batched), (
        SELECT min(id) FROM changed_records
        WHERE account_id = :account_id AND type = :type AND key = :key)) AS oldest
FROM (
    SELECT *, sum(octet_length(before)) OVER (ORDER BY id DESC) - octet_length(before) AS bytes FROM (
        SELECT id, outcome, run_id, run_row, sent_by, changed_at, CAST(before AS text) AS before, before_run_id,
            before_run_row, before_run_seq, before_created_at, before_updated_at
        FROM noted ORDER BY id DESC LIMIT :limit) AS newest) AS counted
WHERE coalesce(bytes, 0) < :bytes ORDER BY id DESC"""

CREATED: Final = """
SELECT run_id, rows[array_position(keys, CAST(:key AS text))] AS row FROM created_records
WHERE {which} AND type = :type AND CAST(:key AS text) = ANY(keys) ORDER BY {nearest} LIMIT 1"""
BY_RUN: Final = {"which": "run_id = :run_id", "nearest": "id DESC"}
# A batch is noted when it is written, which is soon after its first record is dated; the last of many are dated later
# than they are written. The keys are unpacked only of what was noted about then.
AT_THE_TIME: Final = {
    "which": "account_id = :account_id AND created_at BETWEEN "
    "CAST(:moment AS timestamptz) - interval '1 minute' AND :moment + interval '10 minutes'",
    "nearest": "abs(extract(epoch FROM created_at - :moment))",
}


async def list_noted(
    session: ReadSession, account_id: int, type: str, key: str, *, upto: int | None, limit: int
) -> Sequence[RowMapping]:
    """The changes with this number and lower ones."""
    given = {"account_id": account_id, "type": type, "key": key, "upto": upto, "limit": limit, "bytes": PAGE_BYTES}
    return (await session.execute(text(LIST), given)).mappings().all()


async def find_creation_by(session: ReadSession, run_id: str, type: str, key: str) -> RowMapping | None:
    """`run_id` and `row`, with which this run has created the record; None if it has not, or it is not noted."""
    given = {"run_id": run_id, "type": type, "key": key}
    return (await session.execute(text(CREATED.format(**BY_RUN)), given)).mappings().one_or_none()


async def find_creation_at(
    session: ReadSession, account_id: int, type: str, key: str, moment: datetime
) -> RowMapping | None:
    """The same of whichever run has created the record at this moment. It looks at what all runs of the database have
    created around it."""
    given = {"account_id": account_id, "type": type, "key": key, "moment": moment}
    return (await session.execute(text(CREATED.format(**AT_THE_TIME)), given)).mappings().one_or_none()
