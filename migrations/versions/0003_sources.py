"""What pulling files needs: where a run's file comes from, how far it has come, who is told; and stored connections."""

from alembic import op

revision = "0003"
down_revision = "0002"

# `source` is what may be shown; credentials are in `secret`, encrypted and bound to the row, until the run has ended.
RUNS = """
ALTER TABLE runs
    ADD COLUMN source jsonb,
    ADD COLUMN secret bytea,
    ADD COLUMN fetched_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN fetches smallint NOT NULL DEFAULT 0,
    ADD COLUMN notify text,
    ADD COLUMN notified_at timestamptz,
    ADD COLUMN tell_at timestamptz,
    ADD CONSTRAINT ended_keeps_no_secret CHECK (secret IS NULL OR state IN ('queued', 'running'))"""

# Runs whose end is yet to be told.
RUNS_TO_TELL = """
CREATE INDEX runs_to_tell ON runs (finished_at)
WHERE notify IS NOT NULL AND notified_at IS NULL AND finished_at IS NOT NULL"""

CONNECTIONS = """
CREATE TABLE connections (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL,
    settings jsonb NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account_id, name)
)"""

UP = (RUNS, RUNS_TO_TELL, CONNECTIONS)
DOWN = (
    "DROP TABLE connections",
    "DROP INDEX runs_to_tell",
    "ALTER TABLE runs DROP CONSTRAINT ended_keeps_no_secret",
    *(
        f"ALTER TABLE runs DROP COLUMN {name}"
        for name in ("source", "secret", "fetched_bytes", "fetches", "notify", "notified_at", "tell_at")
    ),
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
