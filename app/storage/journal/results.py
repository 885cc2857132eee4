"""Stores what has come of an undo, if it still belongs to the worker that asks."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from app.storage.database import Session
from app.storage.tables import runs


async def store_counts(session: Session, run_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
    """`values` are columns of the run. False if it is not this worker's any more."""
    mine = (runs.c.id == run_id, runs.c.attempt == attempt, runs.c.state == "running")
    done = await session.execute(update(runs).where(*mine).values(**values))
    return done.rowcount == 1
