"""What a webhook was sent: listed, tested, and sent again by hand."""

from datetime import datetime

import msgspec

from app.deliveries.webhooks.delivery import Delivery, delivery_from
from app.deliveries.webhooks.stored import load_webhook
from app.deliveries.webhooks.webhook import TEST
from app.errors import Refused
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.database import ReadSession, Session
from app.storage.webhooks import deliveries


async def list_deliveries(
    session: ReadSession, account_id: AccountId, webhook_id: str, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[list[Delivery], bool]:
    """A page of the webhook's messages, newest first, and whether there are more. Raises Refused("not_found")."""
    await load_webhook(session, account_id, webhook_id)
    rows = await deliveries.list_page(session, account_id, webhook_id, after=after, limit=limit + 1)
    return [delivery_from(row) for row in rows[:limit]], len(rows) > limit


async def load_delivery(session: ReadSession, account_id: AccountId, webhook_id: str, delivery_id: str) -> Delivery:
    """Raises Refused("not_found")."""
    row = await deliveries.get(session, account_id, webhook_id, delivery_id)
    if row is None:
        raise not_found()
    return delivery_from(row)


async def test_webhook(session: Session, runtime: Runtime, account_id: AccountId, webhook_id: str) -> Delivery:
    """A message that a worker sends at once and once only, also if the webhook is disabled. Raises
    Refused("not_found")."""
    webhook = await load_webhook(session, account_id, webhook_id)
    data = msgspec.json.encode({"webhookId": webhook.id, "name": webhook.name}).decode()
    now = await runtime.now(session)
    return delivery_from(await deliveries.add(session, webhook_id, event=TEST, data=data, now=now))


async def replay_delivery(
    session: Session, runtime: Runtime, account_id: AccountId, webhook_id: str, delivery_id: str
) -> Delivery:
    """The message, which is sent again at once, under its id and with all its tries. Raises Refused("not_found")."""
    now = await runtime.now(session)
    row = await deliveries.replay(session, account_id, webhook_id, delivery_id, now=now)
    if row is None:
        raise not_found()
    return delivery_from(row)


def not_found() -> Refused:
    return Refused("not_found", "There is no such delivery of this webhook")
