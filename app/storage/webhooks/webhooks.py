"""Webhooks as rows: the addresses that are told when a run has ended or is held."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.webhooks.tables import webhooks


async def add(session: Session, values: Mapping[str, Any]) -> RowMapping:
    """Stores a webhook and returns it."""
    made = insert(webhooks).values(created_at=text("now()"), updated_at=text("now()"), **values)
    return (await session.execute(made.returning(*webhooks.c))).mappings().one()


async def get(session: ReadSession, account_id: int, webhook_id: str) -> RowMapping | None:
    found = await session.execute(select(webhooks).where(*owned(account_id, webhook_id)))
    return found.mappings().one_or_none()


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's webhooks, ordered by name."""
    listed = select(webhooks).where(webhooks.c.account_id == account_id).order_by(webhooks.c.name)
    return (await session.execute(listed)).mappings().all()


async def replace(session: Session, account_id: int, webhook_id: str, values: Mapping[str, Any]) -> RowMapping:
    """Gives a webhook new values and returns it. It must be there."""
    changed = update(webhooks).where(*owned(account_id, webhook_id)).values(updated_at=text("now()"), **values)
    return (await session.execute(changed.returning(*webhooks.c))).mappings().one()


async def remove(session: Session, account_id: int, webhook_id: str) -> bool:
    """Deletes a webhook with its deliveries, and says whether there was one."""
    return bool((await session.execute(delete(webhooks).where(*owned(account_id, webhook_id)))).rowcount)


def owned(account_id: int, webhook_id: str) -> tuple[ColumnElement[bool], ...]:
    return webhooks.c.account_id == account_id, webhooks.c.id == webhook_id
