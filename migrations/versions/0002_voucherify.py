"""What Voucherify's surface needs: tokens, an order of creation among records, and what became of single rows."""

from alembic import op

revision = "0002"
down_revision = "0001"

TOKENS = """
CREATE TABLE tokens (
    hash bytea PRIMARY KEY,
    key_id text NOT NULL REFERENCES api_keys,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)"""
TOKENS_EXPIRED = "CREATE INDEX tokens_expired ON tokens (expires_at)"

# Customers are listed newest first. Only theirs: an index costs every row that is inserted.
CUSTOMERS_CREATED = "CREATE INDEX customers_created ON records (account_id, created_at, key) WHERE type = 'customers'"

# The request that made the run, as the log has it; and which rows of a batch made new records, for runs that tell.
REQUEST_ID = "ALTER TABLE runs ADD COLUMN request_id text NOT NULL DEFAULT ''"
CREATED_ROWS = "ALTER TABLE batches ADD COLUMN created_rows bytea"

UP = (TOKENS, TOKENS_EXPIRED, CUSTOMERS_CREATED, REQUEST_ID, CREATED_ROWS)
DOWN = (
    "ALTER TABLE batches DROP COLUMN created_rows",
    "ALTER TABLE runs DROP COLUMN request_id",
    "DROP INDEX customers_created",
    "DROP TABLE tokens",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
