"""What is noted of one record, newest first."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

PAGE_BYTES: Final = 4_194_304  # of what records were before; the change that goes beyond is the last

LIST: Final = """
SELECT id, outcome, run_id, run_row, sent_by, changed_at, before, before_run_id, before_run_row, before_created_at,
    before_updated_at, (SELECT min(id) FROM record_changes
        WHERE account_id = :account_id AND type = :type AND key = :key) AS oldest
FROM (
    SELECT *, sum(octet_length(before)) OVER (ORDER BY id DESC) - octet_length(before) AS bytes FROM (
        SELECT id, outcome, run_id, run_row, sent_by, changed_at, CAST(before AS text) AS before, before_run_id,
            before_run_row, before_created_at, before_updated_at
        FROM record_changes WHERE account_id = :account_id AND type = :type AND key = :key
            AND id <= coalesce(CAST(:upto AS bigint), id)
        ORDER BY id DESC LIMIT :limit) AS newest) AS counted
WHERE coalesce(bytes, 0) < :bytes ORDER BY id DESC"""

CREATED: Final = """
SELECT rows[array_position(keys, CAST(:key AS text))] FROM created_records
WHERE run_id = :run_id AND type = :type AND CAST(:key AS text) = ANY(keys) ORDER BY id DESC LIMIT 1"""


async def list_noted(
    session: ReadSession, account_id: int, type: str, key: str, *, upto: int | None, limit: int
) -> Sequence[RowMapping]:
    """The changes with this number and lower ones."""
    given = {"account_id": account_id, "type": type, "key": key, "upto": upto, "limit": limit, "bytes": PAGE_BYTES}
    return (await session.execute(text(LIST), given)).mappings().all()


async def find_creating_row(session: ReadSession, run_id: str, type: str, key: str) -> int | None:
    """The row with which a run has created the record; None if it has not, or it is not noted."""
    found = await session.execute(text(CREATED), {"run_id": run_id, "type": type, "key": key})
    row: int | None = found.scalar_one_or_none()
    return row
