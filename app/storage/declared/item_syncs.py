"""Item syncs as an account has stored them, each under a name of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, case, delete, func, insert, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.tables import item_syncs


async def add(session: Session, values: Mapping[str, Any]) -> RowMapping:
    """Stores a new item sync and returns its row."""
    now = text("now()")
    added = await session.execute(
        insert(item_syncs).values(created_at=now, updated_at=now, **values).returning(*item_syncs.c)
    )
    return added.mappings().one()


async def get(session: ReadSession, account_id: int, sync_id: str) -> RowMapping | None:
    found = await session.execute(select(item_syncs).where(*owned(account_id, sync_id)))
    return found.mappings().one_or_none()


async def find_id(session: ReadSession, account_id: int, name: str) -> str | None:
    """The id of the account's item sync with that name."""
    named = (item_syncs.c.account_id == account_id, item_syncs.c.name == name)
    return (await session.execute(select(item_syncs.c.id).where(*named))).scalar_one_or_none()


async def count(session: ReadSession, account_id: int) -> int:
    counted = await session.execute(
        select(func.count()).select_from(item_syncs).where(item_syncs.c.account_id == account_id)
    )
    return int(counted.scalar_one())


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's item syncs, ordered by name."""
    found = await session.execute(
        select(item_syncs).where(item_syncs.c.account_id == account_id).order_by(item_syncs.c.name)
    )
    return found.mappings().all()


async def replace(session: Session, account_id: int, sync_id: str, values: Mapping[str, Any]) -> RowMapping:
    """Gives an item sync, which must exist, new values and returns its row. The ZIP of another server is not known."""
    same_server = item_syncs.c.connection_id == values["connection_id"]
    replaced = await session.execute(
        update(item_syncs)
        .where(*owned(account_id, sync_id))
        .values(updated_at=text("now()"), seen_images=case((same_server, item_syncs.c.seen_images)), **values)
        .returning(*item_syncs.c)
    )
    return replaced.mappings().one()


async def remove(session: Session, account_id: int, sync_id: str) -> bool:
    """Deletes an item sync and says whether there was one."""
    return bool((await session.execute(delete(item_syncs).where(*owned(account_id, sync_id)))).rowcount)


def owned(account_id: int, sync_id: str) -> tuple[ColumnElement[bool], ...]:
    return item_syncs.c.account_id == account_id, item_syncs.c.id == sync_id
