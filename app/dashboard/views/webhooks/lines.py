"""Webhooks and their messages as pages show them: in words, with a colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.dashboard.views.runs.badge import Badge
from app.dashboard.words import close_sentence
from app.deliveries.webhooks.delivery import Delivery, DeliveryState
from app.deliveries.webhooks.webhook import DISABLED, TEST, Webhook

EVENT_WORDS: Final[Mapping[str, str]] = {
    "run.finished": "Finished",
    "run.failed": "Failed",
    "run.cancelled": "Cancelled",
    "run.halted": "Halted",
    "run.planned": "Planned",
    TEST: "Test",
}
# When each happens, as the form says it.
EVENT_SENTENCES: Final[Mapping[str, str]] = {
    "run.finished": "A job has come to its end. Some of its rows may have failed",
    "run.failed": "A job could not be done at all",
    "run.cancelled": "Somebody has cancelled a job, or nobody has decided about it in time",
    "run.halted": "A brake has stopped a job, and somebody has to decide how it goes on",
    "run.planned": "A job has shown what it would write, and somebody has to let it go on",
}
BADGES: Final[Mapping[DeliveryState, Badge]] = {
    DeliveryState.PENDING: Badge("Waiting", "run"),
    DeliveryState.DELIVERED: Badge("Delivered", "ok"),
    DeliveryState.FAILED: Badge("Failed", "bad"),
}


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message in the list of a webhook. `next_at` is None unless there is another try."""

    id: str
    event: str
    run_id: str | None
    badge: Badge
    tries: int
    reason: str
    created_at: datetime
    next_at: datetime | None


def badge_webhook(webhook: Webhook) -> Badge:
    if not webhook.enabled:
        return Badge("Off", "bad" if webhook.disabled_code else "idle")
    return Badge("Not reached", "warn") if webhook.troubles else Badge("On", "ok")


def explain_state(webhook: Webhook) -> str:
    """Why it is off, or cannot be reached; "" if all is well."""
    if webhook.disabled_code:
        return close_sentence(DISABLED[webhook.disabled_code])
    if not webhook.enabled:
        return "It is told nothing until it is switched on."
    if webhook.troubles:
        return (
            "Its receiver could not be reached, or was busy. Messages wait, and it is tried with one of them at a time."
        )
    return ""


def describe_message(delivery: Delivery) -> MessageLine:
    waits = delivery.state is DeliveryState.PENDING
    return MessageLine(
        id=delivery.id,
        event=EVENT_WORDS[delivery.event],
        run_id=delivery.run_id,
        badge=BADGES[delivery.state],
        tries=delivery.tries,
        reason=close_sentence(delivery.last_reason) if delivery.last_reason else "",
        created_at=delivery.created_at,
        next_at=delivery.due_at if waits and delivery.tries else None,
    )
