"""What a run sees: the records with its overlay over them. Nobody else sees an overlay."""

from collections.abc import Sequence

from sqlalchemy import text

from app.storage.database import ReadSession, Session

SEEN = """(
    SELECT account_id, type, key, data, name FROM staged_records WHERE staged_by = :overlay
    UNION ALL
    SELECT account_id, type, key, data, name FROM records r WHERE NOT EXISTS (
        SELECT FROM staged_records o
        WHERE o.account_id = r.account_id AND o.staged_by = :overlay AND o.type = r.type AND o.key = r.key)) AS seen"""


def seen(overlay: str | None) -> str:
    """The table to read from, as seen by the run with this overlay; its parameter is `:overlay`."""
    return "records" if overlay is None else SEEN


# A copy counts as held: it is not written back unless a row changes it.
COPY_IN = """
INSERT INTO staged_records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row, name,
    staged_by, base_updated_at, incoming, rows)
SELECT account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row, name, :overlay, updated_at, '{}',
    '{}'
FROM records WHERE account_id = :account_id AND type = :type AND key = ANY(:keys)
ON CONFLICT (account_id, staged_by, type, key) DO NOTHING"""


async def copy_in(session: Session, account_id: int, type: str, keys: Sequence[str], *, overlay: str) -> None:
    """Copies the records with these keys into the overlay, unless they are there."""
    given = {"account_id": account_id, "type": type, "keys": list(keys), "overlay": overlay}
    await session.execute(text(COPY_IN), given)


# Of a fresh overlay there are no statistics: the planner takes it for empty, and would go through all of it for each
# row (11 s of 14 s for 100,000).
BY_INDEX = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_nestloop', 'on', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"""
BY_JOIN = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_nestloop', 'off', true),
    set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)"""


async def use_indexes(session: ReadSession) -> None:
    """Looks up rows of overlays and records by their keys, one by one, for the rest of the transaction."""
    await session.execute(text(BY_INDEX))


async def use_joins(session: ReadSession) -> None:
    """Goes through ranges of keys side by side, for the rest of the transaction."""
    await session.execute(text(BY_JOIN))
