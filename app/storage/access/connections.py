"""Connections: sources and destinations that an account has stored by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.tables import connections


async def alone(session: Session, account_id: int) -> None:
    """Until the transaction ends nobody else changes the account's connections: names stand once, what was read is
    there."""
    await session.execute(text("SELECT FROM accounts WHERE id = :id FOR NO KEY UPDATE"), {"id": account_id})


async def add(session: Session, values: Mapping[str, Any]) -> RowMapping | None:
    """Stores a new connection and returns it whole; None if the account has one of that name."""
    taken = await named(session, values["account_id"], values["name"])
    if taken is not None:
        return None
    now = text("now()")
    stored = await session.execute(
        insert(connections).values(created_at=now, updated_at=now, **values).returning(*connections.c)
    )
    return stored.mappings().one()


async def named(session: ReadSession, account_id: int, name: str) -> str | None:
    """The id of the account's connection of that name."""
    mine = (connections.c.account_id == account_id, connections.c.name == name)
    return (await session.execute(select(connections.c.id).where(*mine))).scalar_one_or_none()


async def get(session: ReadSession, account_id: int, connection_id: str) -> RowMapping | None:
    mine = (connections.c.account_id == account_id, connections.c.id == connection_id)
    return (await session.execute(select(connections).where(*mine))).mappings().one_or_none()


async def all_of(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's connections, by name."""
    found = await session.execute(
        select(connections).where(connections.c.account_id == account_id).order_by(connections.c.name)
    )
    return found.mappings().all()


async def change(session: Session, account_id: int, connection_id: str, values: Mapping[str, Any]) -> RowMapping | None:
    """The connection with new values; None if there is none."""
    mine = (connections.c.account_id == account_id, connections.c.id == connection_id)
    done = await session.execute(
        update(connections).where(*mine).values(updated_at=text("now()"), **values).returning(*connections.c)
    )
    return done.mappings().one_or_none()


async def remove(session: Session, account_id: int, connection_id: str) -> bool:
    """Whether there was one."""
    mine = (connections.c.account_id == account_id, connections.c.id == connection_id)
    return bool((await session.execute(delete(connections).where(*mine))).rowcount)


async def pin(
    session: Session, account_id: int, connection_id: str, tried: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """New settings, unless the connection is not any more what was tried."""
    mine = (connections.c.account_id == account_id, connections.c.id == connection_id, connections.c.settings == tried)
    await session.execute(update(connections).where(*mine).values(updated_at=text("now()"), settings=settings))
