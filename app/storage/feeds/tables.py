"""The tables of feeds as SQLAlchemy sees them. A migration creates them."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from app.storage.tables import metadata, moment

feeds = Table(
    "feeds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("connection_id", Text, nullable=False),  # it may be gone
    Column("request", JSON, nullable=False),  # what its imports do: the body of POST /connections/{id}/imports
    Column("every", Integer, nullable=False),  # seconds from one look to the next
    Column("afterwards", Text, nullable=False),  # app.transports.afterwards
    Column("on_failed", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_by", Text),  # the API key that made it
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),  # what was declared, not what came of it
    Column("state", Text, nullable=False, server_default="new"),  # what the last look found: app.feeds.feed.FeedState
    Column("detail", Text),  # why it failed
    Column("failures", Integer, nullable=False, server_default="0"),  # looks that failed in a row
    moment("looked_at"),
    moment("next_at", nullable=False),  # the next look
    moment("tidy_at"),  # files are to be moved or deleted
    # The fence and the lease of a visit.
    Column("round", Integer, nullable=False, server_default="0"),
    moment("lease_until"),
    moment("started_at"),  # its last import
    moment("start_at"),  # no import is started before this moment, because of `start_error`
    Column("start_error", Text),
)

seen_files = Table(
    "seen_files",
    metadata,
    Column("feed_id", Text, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),  # stands for connection, path and version: app.feeds.visit
    Column("connection_id", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger),
    moment("modified"),
    Column("tag", Text),
    Column("state", Text, nullable=False),  # app.feeds.feed.FileState
    moment("seen_at", nullable=False),  # for the first time
    moment("gone_at"),  # it is not in the folder any more, or not in this version
    Column("run_id", Text),  # its import, which may be gone
    Column("disposal", Text),  # what was done about it afterwards: app.transports.afterwards.Disposal
    Column("moved_to", Text),
    Column("tries", Integer, nullable=False, server_default="0"),  # to move or delete it that failed
    moment("try_at"),
    Column("error", Text),  # why the last of them failed
)
