"""The log events of messages to webhooks. What holds for all events is said in `events`."""

from dataclasses import dataclass
from typing import ClassVar

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class WebhookSent(Event):
    """A message to a webhook has been sent or could not be, and what has become of it is not stored yet."""

    level: ClassVar[str] = "debug"
    message_id: str


@dataclass(frozen=True, slots=True)
class WebhookDelivered(Event):
    """A receiver has taken a message, at the try with this number."""

    message_id: str
    webhook_id: str
    account_id: int
    event_type: str
    status: int
    tries: int


@dataclass(frozen=True, slots=True)
class WebhookNotDelivered(Event):
    """A try to send a message has failed; `status` is what the receiver answered, if it did. `result` is `pending`, if
    the message is tried again, or `failed`."""

    level: ClassVar[str] = "warning"
    message_id: str
    webhook_id: str
    account_id: int
    event_type: str
    status: int | None
    tries: int
    result: str


@dataclass(frozen=True, slots=True)
class WebhookDisabled(Event):
    """A webhook is switched off by itself: with `gone` its receiver has answered that it wants no more messages."""

    level: ClassVar[str] = "warning"
    webhook_id: str
    account_id: int
    code: str
