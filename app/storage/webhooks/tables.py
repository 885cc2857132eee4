"""The tables of webhooks, as SQLAlchemy sees them. The migrations create them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from app.storage.tables import metadata, moment

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),  # app.runs.telling.news.EVENTS
    Column("only_named", Boolean, nullable=False, server_default="false"),  # it is told only of runs that name it
    Column("enabled", Boolean, nullable=False, server_default="true"),
    Column("disabled_code", Text),  # why it was switched off by itself: app.deliveries.webhooks.webhook.DISABLED
    Column("secret", LargeBinary, nullable=False),  # what signs, sealed to this row: app.deliveries.webhooks.secrets
    # Since its receiver was last reached: how often it could not be, and until when nothing is sent.
    Column("troubles", Integer, nullable=False, server_default="0"),
    moment("resting_until"),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text, primary_key=True),  # of the message: it is the same at each try
    Column("account_id", Integer, nullable=False),  # that of the webhook: a run that ends must not wait for its account
    Column("webhook_id", Text, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", Text),  # the run may be gone
    Column("event", Text, nullable=False),
    Column("data", JSON, nullable=False),  # what was true when it happened: app.runs.telling.news
    Column("state", Text, nullable=False, server_default="pending"),  # app.deliveries.webhooks.delivery.DeliveryState
    Column("tries", Integer, nullable=False, server_default="0"),  # the fence, too
    Column("step", Integer, nullable=False, server_default="0"),  # tries since it was begun, or sent again by hand
    moment("begun_at", nullable=False),
    moment("due_at", nullable=False),
    moment("lease_until"),  # while a worker sends it
    moment("tried_at"),
    Column("last_status", Integer),
    Column("last_reason", Text),  # a sentence of ours
    moment("created_at", nullable=False),
    moment("ended_at"),
)
