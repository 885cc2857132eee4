"""The table of the operator's keys, as SQLAlchemy sees it. The migrations create it."""

from sqlalchemy import Column, LargeBinary, Table, Text

from app.storage.tables import metadata, moment

# Of no account: they open the administration of accounts, and nothing of any account.
operator_keys = Table(
    "operator_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("last_used_at"),  # to the minute
    moment("expires_at"),  # null: never
    moment("revoked_at"),
)
