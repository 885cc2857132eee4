"""The files that runs of item syncs have fetched. The view `blob_owners` lists their blobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.tables import runs, sync_files


async def add(session: Session, values: Mapping[str, Any]) -> None:
    await session.execute(insert(sync_files).values(**values))


async def list_all(session: ReadSession, run_id: str) -> Sequence[RowMapping]:
    """The files of a run by their numbers."""
    found = await session.execute(select(sync_files).where(sync_files.c.run_id == run_id).order_by(sync_files.c.number))
    return found.mappings().all()


async def drop(session: Session, run_id: str, role: str | None = None) -> Sequence[str]:
    """Forgets the files of a run, or those of one role, and returns their blobs."""
    mine = [sync_files.c.run_id == run_id, *([] if role is None else [sync_files.c.role == role])]
    gone = await session.execute(delete(sync_files).where(*mine).returning(sync_files.c.blob))
    return list(gone.scalars())


async def drop_pruned(session: Session) -> Sequence[str]:
    """Forgets the files of runs of which only the tombstone is left, and returns their blobs."""
    pruned = (sync_files.c.run_id == runs.c.id, runs.c.pruned_at.is_not(None))
    gone = await session.execute(delete(sync_files).where(*pruned).returning(sync_files.c.blob))
    return list(gone.scalars())


async def mark_settled(session: Session, run_id: str, number: int, path: str | None) -> None:
    """Notes that a file has been dealt with at its server: where it was moved to, None if it was deleted."""
    mine = (sync_files.c.run_id == run_id, sync_files.c.number == number)
    await session.execute(update(sync_files).where(*mine).values(moved_to=path, moved_at=text("now()")))
