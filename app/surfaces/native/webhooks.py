"""Makes the shapes of webhooks and of their messages."""

from typing import Any

from app.deliveries.webhooks.delivery import Delivery, DeliveryState
from app.deliveries.webhooks.webhook import Webhook as StoredWebhook
from app.surfaces.native.wire.declared.webhooks import NewWebhook, Webhook, WebhookDelivery


def render_webhook(webhook: StoredWebhook) -> Webhook:
    return Webhook(**webhook_members(webhook))


def render_new_webhook(webhook: StoredWebhook, secret: str) -> NewWebhook:
    return NewWebhook(secret=secret, **webhook_members(webhook))


def webhook_members(webhook: StoredWebhook) -> dict[str, Any]:
    """What is not set is left out."""
    whole = ("id", "name", "url", "only_named", "enabled", "troubles", "created_at", "updated_at")
    optional = {"disabled_because": webhook.disabled_code, "resting_until": webhook.resting_until}
    return {
        **{name: getattr(webhook, name) for name in whole},
        "events": list(webhook.events),
        **{name: value for name, value in optional.items() if value is not None},
    }


def render_delivery(delivery: Delivery) -> WebhookDelivery:
    """What is not set is left out."""
    whole = ("id", "event", "tries", "created_at")
    optional = {
        name: getattr(delivery, name) for name in ("run_id", "tried_at", "last_status", "last_reason", "ended_at")
    }
    if delivery.state is DeliveryState.PENDING:
        optional["next_try_at"] = delivery.due_at
    return WebhookDelivery(
        status=delivery.state,
        **{name: getattr(delivery, name) for name in whole},
        **{name: value for name, value in optional.items() if value is not None},
    )
