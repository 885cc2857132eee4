"""Stores how far an export is, and its file, if it still belongs to the worker that asks."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text, update

from app.storage.database import Session
from app.storage.tables import runs

MINE: Final = "id = :id AND attempt = :attempt AND state = 'running' AND step = 'write'"

BEGIN: Final = f"UPDATE runs SET total = :total, at_row = 0, heartbeat_at = now() WHERE {MINE}"

# PostgreSQL counts the rows of a COPY for everybody to see. Its row is gone once the last one was sent.
MOVE_ON: Final = f"""
UPDATE runs SET at_row = least(total, coalesce(
    (SELECT tuples_processed FROM pg_stat_progress_copy WHERE pid = :process), at_row)), heartbeat_at = now()
WHERE {MINE}"""


async def begin(session: Session, run_id: str, attempt: int, *, total: int) -> bool:
    """Stores how many records the file will have; none of them is written yet. False if the run is not ours."""
    done = await session.execute(text(BEGIN), {"id": run_id, "attempt": attempt, "total": total})
    return done.rowcount == 1


async def move_on(session: Session, run_id: str, attempt: int, *, process: int) -> bool:
    """Stores how many records that process of PostgreSQL has sent so far. False if the run is not ours any more."""
    done = await session.execute(text(MOVE_ON), {"id": run_id, "attempt": attempt, "process": process})
    return done.rowcount == 1


async def store_file(session: Session, run_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
    """Gives the run its file. False if the run is not ours any more."""
    mine = (runs.c.id == run_id, runs.c.attempt == attempt, runs.c.state == "running", runs.c.step == "write")
    done = await session.execute(update(runs).where(*mine).values(crashes=0, **values))
    return done.rowcount == 1
