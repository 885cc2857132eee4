"""Tells why a merge has left rows alone: another run came later, a field is fixed, or the record would be too large."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import Session
from app.storage.merge import MERGED, SMALL, MergeTarget

# OFFSET 0 makes the planner look up each staged row in the index.
LEFT_ALONE: Final = """
SELECT s.row, r.run_seq > :run_seq AS superseded, r.run_seq = :run_seq AS repeated, r.run_row,
    coalesce(r.data ->> CAST(:fixed AS text) IS DISTINCT FROM {wanted}, false) AS conflict, {too_large} AS too_large
FROM staging s CROSS JOIN LATERAL (
    SELECT run_seq, run_row, data FROM {found} OFFSET 0) r
WHERE r.run_seq > :run_seq OR (:unique_keys AND r.run_seq = :run_seq AND r.run_row <> s.row)
    OR (CAST(:fixed AS text) IS NOT NULL
        AND r.data ->> CAST(:fixed AS text) IS DISTINCT FROM {wanted})
    OR {too_large}
ORDER BY s.row"""
WANTED: Final = "coalesce(s.data ->> CAST(:fixed AS text), r.data ->> CAST(:fixed AS text))"
TOO_LARGE: Final = f"""(NOT ({SMALL.format(held="r.data", given="s.data")}) AND {{merged}} IS DISTINCT FROM r.data
        AND octet_length(CAST({{merged}} AS text)) > :record_bytes)"""


async def find_left_alone(session: Session, target: MergeTarget) -> Sequence[RowMapping]:
    """Staged rows that were left alone for a reason: row, superseded, repeated (of which earlier run_row), conflict,
    too_large."""
    sizes = target.size_parameters()
    merged = MERGED[target.mode].format(held="r.data", given="s.data") if sizes else ""
    too_large = TOO_LARGE.format(merged=merged) if sizes else "false"
    statement = LEFT_ALONE.format(found=target.place.found, wanted=WANTED, too_large=too_large)
    parameters = target.parameters() | sizes | {"unique_keys": target.unique_keys, "fixed": target.fixed}
    return (await session.execute(text(statement), parameters)).mappings().all()
