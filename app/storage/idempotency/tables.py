"""The table of idempotency keys as SQLAlchemy sees it. A migration creates it."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, SmallInteger, Table, Text

from app.storage.tables import metadata, moment

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("claim", Text, nullable=False),  # the id of the request that has the key
    moment("claimed_until", nullable=False),  # from then on another request may have it, if there is no answer
    # The first answer; null: the request is at work, or its process was killed.
    Column("fingerprint", LargeBinary),  # of the request: app.web.once.fingerprint
    Column("status", SmallInteger),
    Column("headers", JSON(none_as_null=True)),
    Column("body", LargeBinary),
    moment("expires_at", nullable=False),
)
