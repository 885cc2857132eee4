"""Runs of item syncs, and the files that they have fetched."""

from alembic import op

revision = "0015"
down_revision = "0014"

OLD_KIND = "known_kind CHECK (kind IN ('import', 'export'))"
KIND = "known_kind CHECK (kind IN ('import', 'export', 'sync'))"
SYNC = "sync_has_its_columns CHECK (kind <> 'sync' OR sync_id IS NOT NULL AND seq IS NOT NULL)"

COLUMNS = "ALTER TABLE runs ADD COLUMN IF NOT EXISTS sync_id text, ADD COLUMN IF NOT EXISTS report jsonb"
FILES = """
CREATE TABLE IF NOT EXISTS sync_files (
    run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
    number integer NOT NULL,
    role text NOT NULL CONSTRAINT known_role CHECK (role IN ('items', 'filters', 'images')),
    path text NOT NULL,
    size bigint NOT NULL,
    modified timestamptz,
    tag text,
    blob text NOT NULL,
    digests bytea NOT NULL,
    sha256 text NOT NULL,
    moved_to text,
    moved_at timestamptz,
    PRIMARY KEY (run_id, number)
)"""
BLOBS = "CREATE INDEX IF NOT EXISTS sync_files_blob ON sync_files (blob)"

OLD_OWNERS = "SELECT blob, 'run' AS owner, id AS owner_id FROM runs WHERE blob IS NOT NULL"
OWNERS = f"{OLD_OWNERS} UNION ALL SELECT blob, 'sync run', run_id FROM sync_files"

# The first stands for the rule that one run of a sync is open at a time.
INDEXES = {
    "runs_open_sync": "UNIQUE INDEX CONCURRENTLY {} ON runs (sync_id) WHERE sync_id <> '' AND finished_at IS NULL",
    "runs_of_sync": "INDEX CONCURRENTLY {} ON runs (sync_id, created_at, id) WHERE sync_id IS NOT NULL",
}

SWAP = """
ALTER TABLE runs DROP CONSTRAINT known_kind, ADD CONSTRAINT {kind} NOT VALID,
    DROP CONSTRAINT IF EXISTS sync_has_its_columns"""
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_kind"


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(FILES)
    op.execute(BLOBS)
    op.execute(f"CREATE OR REPLACE VIEW blob_owners AS {OWNERS}")
    op.execute(SWAP.format(kind=KIND))
    op.execute(f"ALTER TABLE runs ADD CONSTRAINT {SYNC} NOT VALID")
    with op.get_context().autocommit_block():
        op.execute(f"{VALIDATE}, VALIDATE CONSTRAINT sync_has_its_columns")
        op.execute("SET lock_timeout = 0")  # they wait for older transactions, and nobody waits for them
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {index.format(name)}")


def downgrade() -> None:
    op.execute("DELETE FROM runs WHERE kind = 'sync'")
    op.execute(SWAP.format(kind=OLD_KIND))
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    op.execute(f"CREATE OR REPLACE VIEW blob_owners AS {OLD_OWNERS}")
    op.execute("DROP TABLE IF EXISTS sync_files")
    op.execute("ALTER TABLE runs DROP COLUMN IF EXISTS sync_id, DROP COLUMN IF EXISTS report")
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
