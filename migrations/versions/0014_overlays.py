"""Overlays: what the rows of a run make of the records, kept apart until all of it is applied at once."""

from alembic import op

revision = "0014"
down_revision = "0013"

# `data` and what follows it are as in `records`. The times of a record that is not there yet count from the epoch, a
# microsecond for each row of the file, until the overlay is applied.
STAGED_RECORDS = """
CREATE TABLE IF NOT EXISTS staged_records (
    account_id integer NOT NULL,
    staged_by text NOT NULL,
    type text NOT NULL,
    key text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    run_id text,
    run_seq bigint NOT NULL,
    run_row integer NOT NULL,
    repeats_row integer,
    name text COLLATE "C",
    base_updated_at timestamptz,
    incoming jsonb,
    rows integer[] NOT NULL,
    PRIMARY KEY (account_id, staged_by, type, key)
)"""
NAMED = """
CREATE INDEX IF NOT EXISTS staged_records_named ON staged_records (account_id, staged_by, type, name)
WHERE name IS NOT NULL"""
STAGED_KEYS = """
CREATE TABLE IF NOT EXISTS staged_keys (
    account_id integer NOT NULL,
    staged_by text NOT NULL,
    type text NOT NULL,
    key text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, staged_by, type, key)
)"""
REMOVED = "ALTER TABLE runs ADD COLUMN IF NOT EXISTS removed integer CHECK (removed >= 0)"

OLD_STEP = "known_step CHECK (step IN ('fetch', 'write', 'deliver'))"
STEP = "known_step CHECK (step IN ('fetch', 'write', 'apply', 'deliver'))"

SWAP = "ALTER TABLE runs DROP CONSTRAINT known_step, ADD CONSTRAINT {step} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_step"


def upgrade() -> None:
    for statement in (STAGED_RECORDS, NAMED, STAGED_KEYS, REMOVED):
        op.execute(statement)
    swap(STEP)


def downgrade() -> None:
    # Nothing of what an open run has staged is in the records, and the older code could not bring it there.
    op.execute("DELETE FROM runs WHERE id IN (SELECT staged_by FROM staged_records) AND finished_at IS NULL")
    op.execute("DELETE FROM runs WHERE step = 'apply' AND finished_at IS NULL")
    op.execute("UPDATE runs SET step = 'write' WHERE step = 'apply'")
    swap(OLD_STEP)
    op.execute("DROP TABLE staged_records")
    op.execute("DROP TABLE staged_keys")
    op.execute("ALTER TABLE runs DROP COLUMN removed")


def swap(step: str) -> None:
    """Checks the rows that are there in a transaction of its own, see 0011."""
    op.execute(SWAP.format(step=step))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
