"""Idempotency keys with their answers, and an index by which an import of the same file is found."""

from alembic import op

revision = "0029"
down_revision = "0028"

KEYS = """
CREATE TABLE idempotency_keys (
    account_id integer NOT NULL REFERENCES accounts,
    key text NOT NULL,
    claim text NOT NULL,
    claimed_until timestamptz NOT NULL,
    fingerprint bytea,
    status smallint,
    headers json,
    body bytea,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key),
    CONSTRAINT whole_answer CHECK (num_nulls(fingerprint, status, headers, body) IN (0, 4))
)"""
EXPIRING = "CREATE INDEX idempotency_keys_expiring ON idempotency_keys (expires_at)"
# Files are looked up while imports are accepted, so the table is not locked.
SAME_FILE = """
CREATE INDEX CONCURRENTLY runs_of_file ON runs (account_id, file_sha256)
WHERE kind = 'import' AND file_sha256 <> ''"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS runs_of_file")  # what an attempt that was cut off has left
        op.execute(SAME_FILE)
    op.execute(KEYS)
    op.execute(EXPIRING)


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS runs_of_file")
    op.execute("DROP TABLE idempotency_keys")
