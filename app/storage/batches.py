"""The ledger of a run: one row for each committed batch, written in the same transaction as the batch's records."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, text

from app.storage.database import ReadSession, Session
from app.storage.tables import batches

MOVABLE = ("created", "updated", "unchanged", "skipped")  # outcomes that may still change when an overlay is applied

# Moves the counts and the cursor, but only for the worker that has the run, and only on from the previous batch.
ADVANCE = """
UPDATE runs SET created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged,
    skipped = skipped + :skipped, failed = failed + :failed,
    at_offset = :at_offset, at_line = :at_line, at_row = :at_row, batches = :number, crashes = 0,
    error_summary = CAST(:error_summary AS jsonb), warnings = CAST(:warnings AS jsonb),
    heartbeat_at = now(), lease_until = now() + make_interval(secs => :lease)
WHERE id = :run_id AND attempt = :attempt AND state = 'running' AND batches = :number - 1"""

RECOUNT_RUN = """
UPDATE runs SET created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged,
    skipped = skipped + :skipped, removed = :removed, warnings = CAST(:warnings AS jsonb)
WHERE id = :run_id AND attempt = :attempt AND state = 'running'"""

RECOUNT = """
UPDATE batches SET created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged,
    skipped = skipped + :skipped, outcomes = coalesce(CAST(:outcomes AS bytea), outcomes)
WHERE run_id = :run_id AND number = :number"""

SUMS = """
SELECT coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated,
    coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(skipped), 0) AS skipped, coalesce(sum(failed), 0) AS failed
FROM batches WHERE run_id = :run_id"""

SUMS_UNTIL = """
SELECT coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated,
    coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(skipped), 0) AS skipped, coalesce(sum(failed), 0) AS failed
FROM unnest(CAST(:ends AS bigint[])) WITH ORDINALITY AS part(ends, place)
LEFT JOIN batches ON run_id = :run_id AND at_offset < part.ends
    AND at_offset >= coalesce((CAST(:ends AS bigint[]))[place - 1], 0)
GROUP BY place ORDER BY place"""


async def add(session: Session, values: Mapping[str, Any]) -> None:
    """Inserts the ledger row of a batch. Raises IntegrityError if there is a batch with this number already."""
    await session.execute(insert(batches).values(committed_at=text("now()"), **values))


async def advance(session: Session, values: Mapping[str, Any]) -> bool:
    """Adds the counts of a batch to its run and moves the cursor. False if the run is not this worker's any more."""
    done = await session.execute(text(ADVANCE), values)
    return done.rowcount == 1


async def recount(
    session: Session,
    run_id: str,
    attempt: int,
    moved: Mapping[int, Mapping[str, int]],
    values: Mapping[str, Any],
    *,
    outcomes: Mapping[int, bytes] | None = None,
) -> bool:
    """Moves rows from one outcome to another. `moved`: by the number of the batch, and by outcome, how many more there
    are; `outcomes`: by the number, what has become of its rows, where that is kept; `values`: what else becomes of the
    run. False if the run is not this worker's any more."""
    totals = {name: sum(each[name] for each in moved.values()) for name in MOVABLE}
    for number, each in moved.items():
        given = {"run_id": run_id, "number": number, "outcomes": (outcomes or {}).get(number), **each}
        await session.execute(text(RECOUNT), given)
    done = await session.execute(text(RECOUNT_RUN), {"run_id": run_id, "attempt": attempt, **totals, **values})
    return done.rowcount == 1


async def list_starts(session: ReadSession, run_id: str) -> Sequence[int]:
    """How many rows of the file come before each batch, in the order of their numbers, which begin with 1."""
    found = await session.execute(select(batches.c.at_row).where(batches.c.run_id == run_id).order_by(batches.c.number))
    return found.scalars().all()


async def sums(session: ReadSession, run_id: str) -> RowMapping:
    """The counts of all batches of a run, added up by outcome."""
    return (await session.execute(text(SUMS), {"run_id": run_id})).mappings().one()


async def sums_until(session: ReadSession, run_id: str, ends: Sequence[int]) -> Sequence[RowMapping]:
    """The same for each part of what the run reads, by the offsets at which the parts end."""
    return (await session.execute(text(SUMS_UNTIL), {"run_id": run_id, "ends": list(ends)})).mappings().all()


async def with_problems(session: ReadSession, run_id: str, *, since: int, limit: int) -> Sequence[RowMapping]:
    """Whole batches with problems, from number `since` on."""
    wanted = (batches.c.run_id == run_id, batches.c.number >= since, batches.c.problem_count > 0)
    found = await session.execute(select(batches).where(*wanted).order_by(batches.c.number).limit(limit))
    return found.mappings().all()


async def find_holding(session: ReadSession, run_id: str, row: int) -> RowMapping | None:
    """Where the batch begins that has the row with this number, or that would have it: at_offset, at_line, at_row."""
    found = await session.execute(
        select(batches.c.at_offset, batches.c.at_line, batches.c.at_row)
        .where(batches.c.run_id == run_id, batches.c.at_row < row)
        .order_by(batches.c.number.desc())
        .limit(1)
    )
    return found.mappings().one_or_none()


async def from_number(session: ReadSession, run_id: str, *, since: int, limit: int) -> Sequence[RowMapping]:
    """The same for all batches."""
    found = await session.execute(
        select(batches)
        .where(batches.c.run_id == run_id, batches.c.number >= since)
        .order_by(batches.c.number)
        .limit(limit)
    )
    return found.mappings().all()
