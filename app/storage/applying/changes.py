"""What an overlay would change, record by record, beside the records as they are now."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession
from app.storage.merge import MergeTarget

PAGE_BYTES: Final = 4_194_304  # of JSON text; the record that goes beyond is the last of a page

MINE = "account_id = :account_id AND staged_by = :run_id AND type = :type"
KEYS = f"""
SELECT key FROM staged_records
WHERE {MINE} AND key > :after AND rows <> '{{}}' AND (base_updated_at IS NULL AND :created
    OR base_updated_at IS NOT NULL AND :updated)
ORDER BY key LIMIT :limit"""

# Record by record, because only so does the server stop where the bytes are used up. What was there when a record was
# staged may be gone by now, and what was not may be there: then nothing is known of what was before.
PAGE = f"""
WITH RECURSIVE page AS (
    SELECT 0 AS number, CAST(0 AS bigint) AS bytes, CAST(NULL AS text) AS key, CAST(NULL AS text) AS before,
        CAST(NULL AS text) AS after, CAST(NULL AS integer) AS row
    UNION ALL
    SELECT page.number + 1, page.bytes + coalesce(octet_length(r.data), 0) + coalesce(octet_length(s.data), 0), k.key,
        CASE WHEN s.data IS NULL THEN r.data WHEN s.was_there THEN coalesce(r.data, '{{}}') END,
        CASE WHEN NOT CAST(:removes AS boolean) THEN s.data END, s.row
    FROM page
    CROSS JOIN LATERAL (SELECT (CAST(:keys AS text[]))[page.number + 1] AS key) k
    LEFT JOIN LATERAL (
        SELECT CAST(data AS text), base_updated_at IS NOT NULL AS was_there, rows[cardinality(rows)] AS row
        FROM staged_records WHERE {MINE} AND key = k.key AND rows <> '{{}}' OFFSET 0) s ON true
    LEFT JOIN LATERAL (
        SELECT CAST(data AS text) FROM records
        WHERE account_id = :account_id AND type = :type AND key = k.key OFFSET 0) r ON true
    WHERE page.number < cardinality(CAST(:keys AS text[])) AND page.bytes < {PAGE_BYTES}
)
SELECT key, before, after, row FROM page WHERE number > 0 ORDER BY number"""


async def list_keys(
    session: ReadSession, target: MergeTarget, *, after: str, limit: int, created: bool, updated: bool
) -> list[str]:
    """Keys of the records that would be created or updated, in order, after this one."""
    given = target.parameters() | {"after": after, "limit": limit, "created": created, "updated": updated}
    return list((await session.execute(text(KEYS), given)).scalars())


async def load_records(session: ReadSession, target: MergeTarget, keys: Sequence[str]) -> Sequence[RowMapping]:
    """key, before and after (JSON texts; null: there is no record), row (null if no row writes it), for the keys in
    their order; no more once they have PAGE_BYTES."""
    given = target.parameters() | {"keys": list(keys), "removes": target.removes}
    return (await session.execute(text(PAGE), given)).mappings().all()
