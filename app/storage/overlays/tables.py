"""The tables of overlays, as SQLAlchemy sees them. The migrations create them."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.storage.tables import metadata, moment

# What open runs make of the records, until it is applied. The columns up to `name` are those of `records`.
staged_records = Table(
    "staged_records",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("staged_by", Text, primary_key=True),  # the run; without a foreign key, which every row would have to check
    Column("type", Text, primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("data", JSONB, nullable=False),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    Column("run_id", Text),
    Column("run_seq", BigInteger, nullable=False),
    Column("run_row", Integer, nullable=False),
    Column("repeats_row", Integer),
    Column("name", Text(collation="C")),
    moment("base_updated_at"),  # of the record when it was staged; null: there was none
    Column(
        "incoming", JSONB
    ),  # what the run's rows give the record together; null: no older run can change it meanwhile
    Column("rows", ARRAY(Integer), nullable=False),  # those of them that change it; empty: it is not written
)

# Keys that rows of a run have named: these records stay when a replacement removes the others. What a sync has named it
# looks up key by key. An import only removes at its end what is not among them, and keeps many keys in a row.
staged_keys = Table(
    "staged_keys",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("staged_by", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
)
named_keys = Table(
    "named_keys",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("staged_by", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_key", Text(collation="C"), nullable=False),
    Column("last_key", Text(collation="C"), nullable=False),
    Column("keys", ARRAY(Text(collation="C")), nullable=False),  # in their order
)
