"""The table of drafts as SQLAlchemy sees it. A migration creates it."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.storage.tables import metadata, moment

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("version", SmallInteger, nullable=False, server_default="1"),  # of what `choices` and `facts` hold
    Column("created_by", Text),  # the person or the API key that made it
    Column("step", Text, nullable=False),  # of the wizard, the next one to be done
    Column("choices", JSON, nullable=False),  # members of POST /connections/{id}/imports
    Column("facts", JSON),  # what reading the file has shown
    # The file as it was sent, or the beginning of one that is elsewhere.
    Column("blob", Text),
    Column("blob_digests", LargeBinary),
    Column("file_name", Text),
    Column("file_bytes", BigInteger),
    Column("file_sha256", Text),
    Column("source", JSONB),  # where the file is, as everybody may see it; null: it was uploaded
    Column("secret", LargeBinary),  # how it is fetched, sealed to this row
    Column("checked", JSONB),  # what the last test of the source has shown
    Column("parent_id", Text),  # the import that is run again; it may be gone
    Column("run_id", Text),  # the import that came of it; such a draft is done
    moment("created_at", nullable=False),
    moment("changed_at", nullable=False),
    moment("expires_at", nullable=False),
)
