"""The table of the audit log as SQLAlchemy sees it. A migration creates it, and the triggers that fill it."""

from sqlalchemy import ARRAY, BigInteger, Column, Integer, Table, Text

from app.storage.tables import metadata, moment

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("account_id", Integer),  # null: it is of no account, or of one that is gone
    moment("at", nullable=False),
    Column("actor_kind", Text, nullable=False),  # app.observe.acting.ActorKind
    Column("actor_id", Text),  # of the key or person; of the schedule or feed behind what the service does
    Column("actor_name", Text),  # what that one was called then: the label, the e-mail address
    Column("address", Text),  # of the client
    Column("surface", Text),
    Column("request_id", Text),
    Column("action", Text, nullable=False),  # app.audit.actions
    Column("what_id", Text),
    Column("what_name", Text),  # what it was called then
    Column("fields", ARRAY(Text), nullable=False),  # what was changed: names, never values
)
