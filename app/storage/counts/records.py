"""How many records of each type an account has: exact for few, estimated by PostgreSQL's planner for many."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import text

from app.storage.database import ReadSession

EXACT_UNTIL: Final = 10_000  # records; to count a million takes a quarter of a second

Precision = Literal["exact", "estimated", "at_least"]

# ORDER BY makes the planner go through the index: it would go through the whole table for a type that has no record.
COUNT = """
SELECT named.type, (SELECT count(*) FROM (
    SELECT FROM records WHERE account_id = :account_id AND type = named.type ORDER BY key LIMIT :most) AS first)
FROM unnest(CAST(:types AS text[])) AS named(type)"""

# Nothing is read: the planner knows from its statistics.
ESTIMATE = "EXPLAIN (FORMAT JSON) SELECT FROM records WHERE account_id = :account_id AND type = :type"


@dataclass(frozen=True, slots=True)
class RecordCount:
    """`at_least`: there are more than `count`, and nobody knows how many."""

    count: int
    precision: Precision = "exact"


async def count_records(session: ReadSession, account_id: int, types: Collection[str]) -> Mapping[str, RecordCount]:
    """By type; 0 for a type that does not exist."""
    given = {"account_id": account_id, "types": list(types), "most": EXACT_UNTIL + 1}
    counted = [(type_, count) for type_, count in (await session.execute(text(COUNT), given)).all()]
    return {
        type_: RecordCount(count) if count <= EXACT_UNTIL else await estimate(session, account_id, type_)
        for type_, count in counted
    }


async def estimate(session: ReadSession, account_id: int, type_: str) -> RecordCount:
    """Of many records. The statistics may be older than most of them."""
    found = await session.execute(text(ESTIMATE), {"account_id": account_id, "type": type_})
    return read_estimate(found.scalar_one())


def read_estimate(plan: Any) -> RecordCount:
    """The rows that a plan expects. There are more than EXACT_UNTIL."""
    rows = (msgspec.json.decode(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"]
    return RecordCount(rows, "estimated") if rows > EXACT_UNTIL else RecordCount(EXACT_UNTIL, "at_least")
