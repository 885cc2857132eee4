"""Stores how far a run of an item sync is, if it still belongs to the worker that asks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, literal, null, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.runs import OPEN
from app.storage.tables import item_syncs, runs


async def has_open_run(session: ReadSession, sync_id: str) -> bool:
    found = await session.execute(
        text(f"SELECT EXISTS (SELECT FROM runs WHERE sync_id = :sync_id AND {OPEN})"), {"sync_id": sync_id}
    )
    return bool(found.scalar_one())


async def change(session: Session, run_id: str, attempt: int, step: str, values: Mapping[str, Any]) -> bool:
    """Changes columns of a run that is in this step. False if it is not ours any more, or not in that step."""
    mine = (runs.c.id == run_id, runs.c.attempt == attempt, runs.c.state == "running", runs.c.step == step)
    done = await session.execute(update(runs).where(*mine).values(heartbeat_at=func.now(), **values))
    return done.rowcount == 1


async def rest(
    session: Session, run_id: str, attempt: int, step: str, *, plan: Mapping[str, Any], seconds: float
) -> bool:
    """Stores the plan of a run that nobody works on for so many seconds. Its server has answered, so failures to reach
    it before do not count any more. False as `change`."""
    due = func.now() + literal(timedelta(seconds=seconds))
    return await change(session, run_id, attempt, step, {"plan": dict(plan), "due_at": due, "fetches": 0})


async def find_seen_images(session: ReadSession, sync_id: str) -> Mapping[str, Any] | None:
    """What is known of the ZIP whose pictures the sync took in last; None: nothing."""
    found = await session.execute(select(item_syncs.c.seen_images).where(item_syncs.c.id == sync_id))
    seen: Mapping[str, Any] | None = found.scalar_one_or_none()
    return seen


async def forget_images(session: Session, sync_id: str) -> None:
    """The ZIP is fetched by the next run, whether it is the same or not."""
    await session.execute(update(item_syncs).where(item_syncs.c.id == sync_id).values(seen_images=null()))


async def forget_all_images(session: Session, account_id: int) -> None:
    """The same for all item syncs of the account, because images were removed otherwise than by a sync."""
    await session.execute(update(item_syncs).where(item_syncs.c.account_id == account_id).values(seen_images=null()))


async def remember_images(session: Session, sync_id: str, seen: Mapping[str, Any]) -> None:
    """Stores what `find_seen_images` tells. Does nothing if the sync is gone."""
    await session.execute(update(item_syncs).where(item_syncs.c.id == sync_id).values(seen_images=dict(seen)))
