"""Shapes of webhooks, and of the messages that were sent to them."""

from typing import Annotated, Final

from pydantic import BaseModel, Field, WithJsonSchema

from app.deliveries.webhooks.delivery import DeliveryState
from app.deliveries.webhooks.stored import MOST_OLD_HOURS, OLD_SECRET_HOURS
from app.deliveries.webhooks.webhook import DISABLED, MEANINGS, SUBSCRIBABLE
from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import SentShape, json_body
from app.web.shapes import UNSET_TIME, Shape, Timestamp

EventName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(SUBSCRIBABLE)})]
# It is checked with everything else, so that all mistakes are named at once.
WebhookName = Annotated[str, WithJsonSchema({"type": "string", "maxLength": 200})]
EVENTS: Final = "What it is told of. " + ". ".join(f"{event}: {meaning}" for event, meaning in MEANINGS.items())
ONLY_NAMED: Final = "Whether it is told only of runs that name it with `webhookId`"


class WebhookBody(SentShape):
    name: WebhookName = Field(description="Unique among the webhooks of the account")
    url: str = Field(description="Where messages are sent, with POST", examples=["https://example.com/hooks/sluice"])
    events: list[EventName] = Field(
        default=list(SUBSCRIBABLE), max_length=100, description=f"{EVENTS}. Default: all of them"
    )
    only_named: bool = Field(default=False, strict=True, description=ONLY_NAMED)
    enabled: bool = Field(default=True, strict=True, description="Whether it is told at all")


class RotationBody(SentShape):
    old_secret_hours: int = Field(
        default=OLD_SECRET_HOURS,
        strict=True,
        ge=0,
        le=MOST_OLD_HOURS,
        description="For how long the secret before signs, too, so that a receiver can change to the new one in time",
    )


class Webhook(Shape):
    """A webhook without its secret."""

    id: str = Field(examples=["wh_c421b1e62576a02cbec11b04"])
    name: str
    url: str
    events: list[str] = Field(description=EVENTS)
    only_named: bool = Field(description=ONLY_NAMED)
    enabled: bool
    disabled_because: str = Field(
        default="",
        description="Why it was switched off by itself. "
        + ". ".join(f"{code}: {meaning}" for code, meaning in DISABLED.items()),
    )
    troubles: int = Field(description="How often in a row its receiver could not be reached, or was busy")
    resting_until: Timestamp = Field(
        default=UNSET_TIME, description="Until when nothing is sent, because of troubles. Absent if there are none"
    )
    created_at: Timestamp
    updated_at: Timestamp


class NewWebhook(Webhook):
    """A webhook with its secret, which is shown only in this answer."""

    secret: str = Field(
        description="What messages are signed with, as Standard Webhooks describes it",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookList(Shape):
    """Ordered by name."""

    links: Links
    results: list[Webhook]


class WebhookDelivery(Shape):
    """A message, and how far its delivery is."""

    id: str = Field(
        description="The same at each try, in `webhook-id`", examples=["msg_9b0e2c1f5d1a4f0c8a7b6c5d4e3f2a1b"]
    )
    event: str = Field(description="As in a webhook; or webhook.test", examples=["run.finished"])
    run_id: str = Field(default="", description="Absent for a test")
    status: DeliveryState = Field(description="pending: it is tried again. failed: it is not")
    tries: int
    next_try_at: Timestamp = Field(default=UNSET_TIME, description="Present while it is pending")
    tried_at: Timestamp = Field(default=UNSET_TIME, description="When it was tried last. Absent before the first try")
    last_status: int = Field(default=0, description="The status of the last answer. Absent if there was none")
    last_reason: str = Field(default="", description="Why the last try failed. Absent if it did not")
    created_at: Timestamp
    ended_at: Timestamp = Field(default=UNSET_TIME, description="When it was delivered or given up")


class WebhookDeliveryList(Shape):
    """The newest comes first."""

    links: Links
    results: list[WebhookDelivery]


class DeliveryQueryParameters(BaseModel):
    """The query of a list of messages."""

    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None


WEBHOOK_BODY: Final = json_body(
    WebhookBody, {"name": "Warehouse", "url": "https://example.com/hooks/sluice", "events": ["run.finished"]}
)
ROTATION_BODY: Final = json_body(RotationBody, {"oldSecretHours": OLD_SECRET_HOURS}, required=False)
