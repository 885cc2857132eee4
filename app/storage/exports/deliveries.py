"""Stores how far the deliveries of an export are, if it still belongs to the worker that asks."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, select, text

from app.storage.database import Session
from app.storage.tables import runs

MINE: Final = "id = :id AND attempt = :attempt AND state = 'running' AND step = 'deliver'"

# `jsonb || jsonb` replaces the members that are on its right side.
CHANGE: Final = """jsonb_set(destinations, ARRAY[CAST(CAST(:number AS integer) AS text)],
    (destinations -> CAST(:number AS integer)) || CAST(:changes AS jsonb){more})"""

NOTE: Final = f"UPDATE runs SET destinations = {CHANGE.format(more='')} WHERE {MINE}"

# A delivery that came to its end is a step forward, so crashes before it do not count any more.
SETTLE: Final = f"""
UPDATE runs SET destinations = {CHANGE.format(more=" || jsonb_build_object('triedAt', now())")}, crashes = 0,
    heartbeat_at = now()
WHERE {MINE}"""


async def note(session: Session, run_id: str, attempt: int, number: int, changes: Mapping[str, Any]) -> bool:
    """Changes members of the destination with that number. False if the run is not ours any more."""
    return await _store(session, NOTE, run_id, attempt, number, changes)


async def settle(session: Session, run_id: str, attempt: int, number: int, changes: Mapping[str, Any]) -> bool:
    """The same after a try, with its time. False if the run is not ours any more."""
    return await _store(session, SETTLE, run_id, attempt, number, changes)


async def _store(
    session: Session, statement: str, run_id: str, attempt: int, number: int, changes: Mapping[str, Any]
) -> bool:
    values = {"id": run_id, "attempt": attempt, "number": number, "changes": json.dumps(dict(changes))}
    done = await session.execute(text(statement), values)
    return done.rowcount == 1


# Destinations that a retry of an export, or a retry of that, has delivered or will still try.
RETRIED: Final = """
WITH RECURSIVE retries AS (
    SELECT id, destinations, finished_at FROM runs WHERE parent_id = :id AND relation = 'retry'
    UNION ALL
    SELECT r.id, r.destinations, r.finished_at
    FROM retries t JOIN runs r ON r.parent_id = t.id AND r.relation = 'retry')
SELECT d ->> 'connectionId' AS connection_id, d ->> 'path' AS path
FROM retries, jsonb_array_elements(destinations) AS d
WHERE coalesce(d ->> 'status', 'pending') = 'delivered'
    OR finished_at IS NULL AND coalesce(d ->> 'status', 'pending') = 'pending'"""


async def list_retried(session: Session, run_id: str) -> set[tuple[str, str]]:
    """Connection and path of each destination that is retried already, unless that has failed as well."""
    found = await session.execute(text(RETRIED), {"id": run_id})
    return {(row.connection_id, row.path) for row in found}


async def lock_ended(session: Session, account_id: int, run_id: str) -> RowMapping | None:
    """The account's export with its file, which nobody deletes, prunes or retries before the transaction ends. None if
    it has not ended, has no file or is gone."""
    kept = select(runs).where(
        runs.c.id == run_id,
        runs.c.account_id == account_id,
        runs.c.kind == "export",
        runs.c.finished_at.is_not(None),
        runs.c.blob.is_not(None),
    )
    return (await session.execute(kept.with_for_update(key_share=True))).mappings().one_or_none()
