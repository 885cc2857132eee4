"""The ledger of a run: one row for each committed batch, written in the same transaction as the batch's records."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, text

from app.storage.database import ReadSession, Session
from app.storage.tables import batches

# Moves the counts and the cursor, but only for the worker that has the run, and only on from the previous batch.
ADVANCE = """
UPDATE runs SET created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged,
    skipped = skipped + :skipped, failed = failed + :failed,
    at_offset = :at_offset, at_line = :at_line, at_row = :at_row, batches = :number, crashes = 0,
    error_summary = CAST(:error_summary AS jsonb), warnings = CAST(:warnings AS jsonb),
    heartbeat_at = now(), lease_until = now() + make_interval(secs => :lease)
WHERE id = :run_id AND attempt = :attempt AND state = 'running' AND batches = :number - 1"""

SUMS = """
SELECT coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated,
    coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(skipped), 0) AS skipped, coalesce(sum(failed), 0) AS failed
FROM batches WHERE run_id = :run_id"""


async def add(session: Session, values: Mapping[str, Any]) -> None:
    """Inserts the ledger row of a batch. Raises IntegrityError if there is a batch with this number already."""
    await session.execute(insert(batches).values(committed_at=text("now()"), **values))


async def advance(session: Session, values: Mapping[str, Any]) -> bool:
    """Adds the counts of a batch to its run and moves the cursor. False if the run is not this worker's any more."""
    done = await session.execute(text(ADVANCE), values)
    return done.rowcount == 1


async def sums(session: ReadSession, run_id: str) -> RowMapping:
    """The counts of all batches of a run, added up by outcome."""
    return (await session.execute(text(SUMS), {"run_id": run_id})).mappings().one()


async def with_problems(session: ReadSession, run_id: str, *, since: int, limit: int) -> Sequence[RowMapping]:
    """Batches with problems (number, at_offset, at_line, at_row, rows, problem_count, problems), from number `since`
    on."""
    found = await session.execute(
        text(
            "SELECT number, at_offset, at_line, at_row, created + updated + unchanged + skipped + failed AS rows, "
            "problem_count, problems FROM batches "
            "WHERE run_id = :run_id AND number >= :since AND problem_count > 0 ORDER BY number LIMIT :limit"
        ),
        {"run_id": run_id, "since": since, "limit": limit},
    )
    return found.mappings().all()


async def from_number(session: ReadSession, run_id: str, *, since: int, limit: int) -> Sequence[RowMapping]:
    """Whole batches from number `since` on."""
    found = await session.execute(
        select(batches)
        .where(batches.c.run_id == run_id, batches.c.number >= since)
        .order_by(batches.c.number)
        .limit(limit)
    )
    return found.mappings().all()
