"""Connections: the sources and destinations that an account has stored by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.tables import connections


async def add(session: Session, values: Mapping[str, Any]) -> RowMapping:
    """Stores a new connection and returns its row."""
    now = text("now()")
    added = await session.execute(
        insert(connections).values(created_at=now, updated_at=now, **values).returning(*connections.c)
    )
    return added.mappings().one()


async def find_id(session: ReadSession, account_id: int, name: str) -> str | None:
    """The id of the account's connection with that name."""
    named = (connections.c.account_id == account_id, connections.c.name == name)
    return (await session.execute(select(connections.c.id).where(*named))).scalar_one_or_none()


async def get(session: ReadSession, account_id: int, connection_id: str) -> RowMapping | None:
    found = await session.execute(select(connections).where(*owned(account_id, connection_id)))
    return found.mappings().one_or_none()


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's connections, ordered by name."""
    found = await session.execute(
        select(connections).where(connections.c.account_id == account_id).order_by(connections.c.name)
    )
    return found.mappings().all()


async def replace(session: Session, account_id: int, connection_id: str, values: Mapping[str, Any]) -> RowMapping:
    """Gives a connection, which must exist, new values and returns its row."""
    replaced = await session.execute(
        update(connections)
        .where(*owned(account_id, connection_id))
        .values(updated_at=text("now()"), **values)
        .returning(*connections.c)
    )
    return replaced.mappings().one()


async def remove(session: Session, account_id: int, connection_id: str) -> bool:
    """Deletes a connection and says whether there was one."""
    return bool((await session.execute(delete(connections).where(*owned(account_id, connection_id)))).rowcount)


async def update_settings(
    session: Session, account_id: int, connection_id: str, *, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Stores new settings, unless the connection no longer has the old ones."""
    unchanged = (*owned(account_id, connection_id), connections.c.settings == old)
    await session.execute(update(connections).where(*unchanged).values(updated_at=text("now()"), settings=new))


def owned(account_id: int, connection_id: str) -> tuple[ColumnElement[bool], ...]:
    return connections.c.account_id == account_id, connections.c.id == connection_id
