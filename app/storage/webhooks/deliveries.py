"""What an account's webhooks are sent: written with what happened, and listed for people."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, literal, select, text, tuple_

from app.storage.database import ReadSession, Session
from app.storage.webhooks.tables import webhook_deliveries

NEW_ID = "'msg_' || replace(gen_random_uuid()::text, '-', '')"

# One message for each webhook that wants to know.
TELL = f"""
INSERT INTO webhook_deliveries (id, account_id, webhook_id, run_id, event, data, begun_at, due_at, created_at)
SELECT {NEW_ID}, account_id, id, :run_id, :event, CAST(:data AS json), now(), now(), now()
FROM webhooks
WHERE account_id = :account_id AND enabled AND :event = ANY(events) AND (NOT only_named OR id = :webhook_id)"""

# Somebody waits for it, so a receiver that has a rest is tried at once.
ADD = f"""
WITH awake AS (UPDATE webhooks SET resting_until = NULL WHERE id = :webhook_id RETURNING id, account_id)
INSERT INTO webhook_deliveries (id, account_id, webhook_id, event, data, begun_at, due_at, created_at)
SELECT {NEW_ID}, account_id, id, :event, CAST(:data AS json), :now, :now, :now FROM awake
RETURNING *"""

# What has ended begins its series of tries anew, under its id. What is pending is due now.
REPLAY = """
WITH awake AS (UPDATE webhooks SET resting_until = NULL WHERE id = :webhook_id)
UPDATE webhook_deliveries SET state = 'pending', ended_at = NULL, begun_at = :now,
    step = CASE WHEN state = 'pending' THEN step ELSE 0 END,
    due_at = CASE WHEN lease_until > :now THEN due_at ELSE :now END
WHERE id = :id AND webhook_id = :webhook_id AND account_id = :account_id
RETURNING *"""

DELETE_OLD = """
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE ended_at < now() - make_interval(days => :days)
    ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED)"""


async def tell(
    session: Session, account_id: int, *, run_id: str, event: str, data: str, webhook_id: str | None
) -> None:
    """Stores a message for each webhook of the account that is told of the event. `data` is JSON; `webhook_id` is the
    webhook that the run names."""
    given = {"account_id": account_id, "run_id": run_id, "event": event, "data": data, "webhook_id": webhook_id}
    await session.execute(text(TELL), given)


async def add(session: Session, webhook_id: str, *, event: str, data: str, now: datetime) -> RowMapping:
    """Stores a message for one webhook, due at once, and returns it. `data` is JSON."""
    given = {"webhook_id": webhook_id, "event": event, "data": data, "now": now}
    return (await session.execute(text(ADD), given)).mappings().one()


async def replay(
    session: Session, account_id: int, webhook_id: str, delivery_id: str, *, now: datetime
) -> RowMapping | None:
    """Lets a message be sent again, and returns it. None if there is none."""
    given = {"account_id": account_id, "webhook_id": webhook_id, "id": delivery_id, "now": now}
    return (await session.execute(text(REPLAY), given)).mappings().one_or_none()


async def get(session: ReadSession, account_id: int, webhook_id: str, delivery_id: str) -> RowMapping | None:
    columns = webhook_deliveries.c
    mine = (columns.id == delivery_id, columns.webhook_id == webhook_id, columns.account_id == account_id)
    return (await session.execute(select(webhook_deliveries).where(*mine))).mappings().one_or_none()


async def list_page(
    session: ReadSession, account_id: int, webhook_id: str, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """The webhook's messages, newest first. `after` is the moment and the id of the last that was seen."""
    columns = webhook_deliveries.c
    listed = select(webhook_deliveries).where(columns.webhook_id == webhook_id, columns.account_id == account_id)
    if after is not None:
        listed = listed.where(tuple_(columns.created_at, columns.id) < tuple_(*map(literal, after)))
    newest = listed.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
    return (await session.execute(newest)).mappings().all()


async def delete_old(session: Session, *, days: int, limit: int) -> None:
    """Deletes messages that ended so many days ago."""
    await session.execute(text(DELETE_OLD), {"days": days, "limit": limit})
