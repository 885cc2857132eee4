"""Drafts: imports that somebody prepares in the dashboard, with the file that was sent for them."""

from alembic import op

revision = "0024"
down_revision = "0023"

DRAFTS = """
CREATE TABLE drafts (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    version smallint NOT NULL DEFAULT 1,
    created_by text,
    step text NOT NULL,
    choices json NOT NULL,
    facts json,
    blob text,
    blob_digests bytea,
    file_name text,
    file_bytes bigint,
    file_sha256 text,
    source jsonb,
    secret bytea,
    checked jsonb,
    parent_id text,
    run_id text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT done_has_no_file CHECK (run_id IS NULL OR (blob IS NULL AND secret IS NULL))
)"""
DIGESTS = "ALTER TABLE drafts ALTER COLUMN blob_digests SET STORAGE EXTERNAL"  # they cannot be compressed
INDEXES = (
    "CREATE INDEX drafts_of_account ON drafts (account_id, changed_at)",
    "CREATE INDEX drafts_expiring ON drafts (expires_at)",
    "CREATE INDEX drafts_blob ON drafts (blob) WHERE blob IS NOT NULL",
)

OLD_OWNERS = """SELECT blob, 'run' AS owner, id AS owner_id FROM runs WHERE blob IS NOT NULL
UNION ALL SELECT blob, 'sync run', run_id FROM sync_files
UNION ALL SELECT blob, 'picture', account_id || ':' || sha256 FROM pictures WHERE blob IS NOT NULL"""
OWNERS = f"""{OLD_OWNERS}
UNION ALL SELECT blob, 'draft', id FROM drafts WHERE blob IS NOT NULL"""


def upgrade() -> None:
    for statement in (DRAFTS, DIGESTS, *INDEXES, f"CREATE OR REPLACE VIEW blob_owners AS {OWNERS}"):
        op.execute(statement)


def downgrade() -> None:
    op.execute(f"CREATE OR REPLACE VIEW blob_owners AS {OLD_OWNERS}")
    op.execute("DROP TABLE drafts")
