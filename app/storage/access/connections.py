"""Connections: the sources and destinations that an account has stored by name."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, RowMapping, cast, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from app.storage.database import ReadSession, Session
from app.storage.tables import connections

USES: Final = text("""
SELECT 'feed' AS kind, id, name FROM feeds WHERE account_id = :account_id AND connection_id = :connection_id
UNION ALL
SELECT 'sync', id, name FROM item_syncs WHERE account_id = :account_id AND connection_id = :connection_id
UNION ALL
SELECT 'schedule', id, name FROM schedules
WHERE account_id = :account_id AND (
    (kind = 'import' AND target = :connection_id)
    OR (kind = 'export' AND jsonb_path_exists(request::jsonb, '$.destinations[*].connectionId ? (@ == $id)',
        jsonb_build_object('id', CAST(:connection_id AS text)))))
ORDER BY kind, name""")


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


async def find_names(session: ReadSession, account_id: int, ids: Collection[str]) -> Mapping[str, str]:
    """The name of each of these connections that there is, by its id."""
    named = select(connections.c.id, connections.c.name).where(
        connections.c.account_id == account_id, connections.c.id.in_(ids)
    )
    return {row.id: row.name for row in await session.execute(named)}


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


async def keep_test(
    session: Session,
    account_id: int,
    connection_id: str,
    outcome: Mapping[str, Mapping[str, Any]],
    *,
    settings: Mapping[str, Any] | None,
    updated_at: datetime,
) -> None:
    """Stores the outcome of a test by its purpose, with the time, and new settings if there are any, unless the
    connection has been updated at another time. A test is no change of the connection; new settings are."""
    dated = {
        purpose: cast(each, JSONB).op("||")(func.jsonb_build_object("at", func.now()))
        for purpose, each in outcome.items()
    }
    tests = connections.c.last_tests.op("||")(func.jsonb_build_object(*chain(*dated.items())))
    changed = {} if settings is None else {"settings": settings, "updated_at": text("now()")}
    unchanged = (*owned(account_id, connection_id), connections.c.updated_at == updated_at)
    await session.execute(update(connections).where(*unchanged).values(last_tests=tests, **changed))


async def list_uses(session: ReadSession, account_id: int, connection_id: str) -> Sequence[Row[Any]]:
    """Kind, id and name of what the account has declared with this connection, ordered by kind and name."""
    return (await session.execute(USES, {"account_id": account_id, "connection_id": connection_id})).all()


def owned(account_id: int, connection_id: str) -> tuple[ColumnElement[bool], ...]:
    return connections.c.account_id == account_id, connections.c.id == connection_id
