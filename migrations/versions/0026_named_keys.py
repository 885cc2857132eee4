"""The keys that a replacement has named, many in a row."""

from alembic import op

revision = "0026"
down_revision = "0025"

NAMED_KEYS = """
CREATE TABLE IF NOT EXISTS named_keys (
    account_id integer NOT NULL,
    staged_by text NOT NULL,
    type text NOT NULL,
    number integer NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    keys text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, staged_by, type, number)
)"""
# The code before this looks for them one by one.
SPREAD = """
INSERT INTO staged_keys (account_id, staged_by, type, key)
SELECT account_id, staged_by, type, unnest(keys) FROM named_keys ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(NAMED_KEYS)


def downgrade() -> None:
    op.execute(SPREAD)
    op.execute("DROP TABLE named_keys")
