"""Stored files: digests of their blocks, what a run waits for, and the mark by which the store is known."""

from alembic import op

revision = "0005"
down_revision = "0004"

# Digests cannot be compressed. Runs of release 0.1 have none, and their files are read unchecked.
RUNS = """
ALTER TABLE runs
    ADD COLUMN blob_digests bytea,
    ALTER COLUMN blob_digests SET STORAGE EXTERNAL,
    ADD COLUMN waiting_for text"""

# At most one row: this installation's store. The id is also in the store itself.
BLOB_STORE = """
CREATE TABLE blob_store (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id text NOT NULL,
    known_since timestamptz NOT NULL DEFAULT now())"""

UP = (RUNS, BLOB_STORE)
DOWN = ("DROP TABLE blob_store", "ALTER TABLE runs DROP COLUMN blob_digests, DROP COLUMN waiting_for")


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
