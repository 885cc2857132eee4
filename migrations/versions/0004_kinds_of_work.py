"""Runs of several kinds: what a run is, what it is doing, what it came from and who started it; who needs a blob."""

from alembic import op

revision = "0004"
down_revision = "0003"

# What is there already is an import. Its `step` stays empty, as does that of a run that an API of release 0.1 inserts
# later: then the run's file tells (`STEP` in app/storage/claims.py). Filling it in would rewrite every run under an
# exclusive lock.
RUNS = """
ALTER TABLE runs
    ADD COLUMN kind text NOT NULL DEFAULT 'import' CONSTRAINT known_kind CHECK (kind IN ('import')),
    ADD COLUMN name text,
    ADD COLUMN parent_id text REFERENCES runs ON DELETE SET NULL,
    ADD COLUMN relation text CONSTRAINT known_relation
        CHECK (relation IN ('retry', 'rerun', 'undo', 'sync', 'schedule')),
    ADD COLUMN step text CONSTRAINT known_step CHECK (step IN ('fetch', 'write')),
    ADD COLUMN created_by text,
    ALTER COLUMN seq DROP NOT NULL,
    ADD CONSTRAINT import_has_a_number CHECK (kind <> 'import' OR seq IS NOT NULL),
    ADD CONSTRAINT parent_has_a_relation CHECK (parent_id IS NULL OR relation IS NOT NULL)"""

PARENTS = "CREATE INDEX runs_parent ON runs (parent_id) WHERE parent_id IS NOT NULL"

# A run is open until it has the time of its end (`ended_has_a_time`): no list of states has to be kept here.
# The old index, `runs_open`, stays for processes of release 0.1.
RUNS_UNFINISHED = "CREATE INDEX runs_unfinished ON runs (account_id, type, seq) WHERE finished_at IS NULL"

# A file may be deleted when nothing in this view names it. Whatever else comes to need files adds its own line here.
BLOB_OWNERS = "CREATE VIEW blob_owners AS SELECT blob, 'run' AS owner, id AS owner_id FROM runs WHERE blob IS NOT NULL"
RUNS_BLOB = "CREATE INDEX runs_blob ON runs (blob) WHERE blob IS NOT NULL"

# A record that was written by itself, and not by an import, belongs to no run. This comes first: batches at work lock
# `records` before `runs`, and the other order could deadlock with them.
RECORDS = "ALTER TABLE records ALTER COLUMN run_id DROP NOT NULL"

UP = (RECORDS, RUNS, PARENTS, RUNS_UNFINISHED, RUNS_BLOB, BLOB_OWNERS)
DOWN = (
    "UPDATE records SET run_id = '' WHERE run_id IS NULL",
    "ALTER TABLE records ALTER COLUMN run_id SET NOT NULL",
    "DROP VIEW blob_owners",
    "DROP INDEX runs_blob",
    "DROP INDEX runs_unfinished",
    "DELETE FROM runs WHERE kind <> 'import'",
    """
ALTER TABLE runs
    ALTER COLUMN seq SET NOT NULL,
    DROP COLUMN kind, DROP COLUMN name, DROP COLUMN parent_id, DROP COLUMN relation, DROP COLUMN step,
    DROP COLUMN created_by""",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
