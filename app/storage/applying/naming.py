"""Removes the records that the rows of a run have named: those that its overlay holds."""

from typing import Final

from sqlalchemy import text

from app.storage.applying.apply import IN_RANGE, MINE, Range
from app.storage.database import Session
from app.storage.merge import MergeTarget

# Found by their keys, in the order in which everybody locks records.
FOUND: Final = """(
    SELECT found.place, found.part FROM staged_records s CROSS JOIN LATERAL (
        SELECT ctid AS place, tableoid AS part FROM records
        WHERE account_id = :account_id AND type = :type AND key = s.key{which} OFFSET 0{locked}) found
    WHERE {mine} AND {in_range}{named} ORDER BY s.key OFFSET 0) f"""
LOCK: Final = "SELECT count(*) FROM " + FOUND.format(
    mine=MINE, in_range=IN_RANGE, which="", locked=" FOR UPDATE", named=" AND run_seq = :run_seq"
)
REMOVE: Final = (
    "DELETE FROM records r USING "
    + FOUND.format(
        mine=MINE,
        in_range=IN_RANGE,
        which=" AND updated_at = s.base_updated_at AND run_seq <= :run_seq",
        locked="",
        named=" AND rows <> '{}'",
    )
    + " WHERE r.ctid = f.place AND r.tableoid = f.part"
)


async def lock_range(session: Session, target: MergeTarget, planned: Range) -> None:
    """Nobody can change or delete the records of the range that are there until the transaction ends."""
    await session.execute(text(LOCK), {**target.parameters(), **planned.between})


async def remove_range(session: Session, target: MergeTarget, planned: Range) -> int:
    """Removes the records of the range that are to be, and are as they were when they were staged, and returns how
    many."""
    given = {**target.parameters(), **planned.between}
    return (await session.execute(text(REMOVE), given)).rowcount
