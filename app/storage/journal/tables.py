"""The tables of the journal, as SQLAlchemy sees them. The migrations create them, and the triggers that fill them."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.storage.tables import metadata, moment

NEXT = text("nextval('record_changes_id')")  # of two changes of one record the later one has the higher number

# What was there before a record was changed or removed: noted once for each run, however often it has changed it.
# Here by single writes and deletes, and until migration 0043 by runs as well.
changed_records = Table(
    "changed_records",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("id", BigInteger, primary_key=True, server_default=NEXT),
    Column("outcome", Text, nullable=False),  # created (by a single write), updated, removed
    Column("run_id", Text),  # null: a single write or delete
    Column("run_row", Integer),
    Column("sent_by", Text),  # of a single write: the key or the person
    moment("changed_at", nullable=False),
    Column("before", JSONB),  # null: there was no record; so are those that follow
    Column("before_name", Text(collation="C")),
    moment("before_created_at"),
    moment("before_updated_at"),
    Column("before_run_id", Text),  # which run had changed it last
    Column("before_run_row", Integer),  # in which row, if this is the place of that run: else another has left it
    Column("before_run_seq", BigInteger),
)

# The same of records that a run has changed with one statement, some hundred in a row, most often in the order of their
# keys. The arrays have an element for each record. The view `record_changes` has both tables, a row for each record.
changed_batches = Table(
    "changed_batches",
    metadata,
    Column("id", BigInteger, primary_key=True, server_default=NEXT),  # 1,023 numbers that follow are its records'
    Column("account_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # updated, removed
    Column("run_id", Text, nullable=False),
    moment("changed_at", nullable=False),
    Column("before_run_id", Text),
    Column("changes", Integer, nullable=False),  # how many records
    Column("first_key", Text(collation="C"), nullable=False),  # the lowest and the highest of the keys
    Column("last_key", Text(collation="C"), nullable=False),
    Column("keys", ARRAY(Text(collation="C")), nullable=False),
    Column("rows", ARRAY(Integer)),  # null: they were removed
    Column("befores", ARRAY(JSONB), nullable=False),
    Column("before_names", ARRAY(Text(collation="C"))),  # null: none has one
    Column("before_created_at", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("before_updated_at", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("before_rows", ARRAY(Integer), nullable=False),
    Column("before_seqs", ARRAY(BigInteger), nullable=False),
)

# The records that a run has created, those of a batch in one row.
created_records = Table(
    "created_records",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, server_default=NEXT),
    Column("account_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    moment("created_at", nullable=False),
    Column("keys", ARRAY(Text(collation="C")), nullable=False),
    Column("rows", ARRAY(Integer), nullable=False),  # for each key the row of the file
)
