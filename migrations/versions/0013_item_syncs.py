"""Item syncs, and their scopes for keys that may do everything else."""

from alembic import op

revision = "0013"
down_revision = "0012"

# The unique index serves lists, too. A connection may be deleted: then the sync cannot run until it gets another one.
ITEM_SYNCS = """
CREATE TABLE item_syncs (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    connection_id text NOT NULL,
    settings jsonb NOT NULL,
    seen_images jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account_id, name)
)"""

# Keys that were made without a choice of scopes have all that there were, and get those that are new.
ALL = """'{imports:read,imports:write,imports:delete,records:read,types:read,types:write,mappings:read,mappings:write,
connections:read,connections:write,exports:read,exports:write}'::text[]"""
NEW = "'{syncs:read,syncs:write}'::text[]"
GRANT = f"""
UPDATE api_keys SET scopes = scopes || array(SELECT unnest({NEW}) EXCEPT SELECT unnest(scopes)) WHERE scopes @> {ALL}"""
REVOKE = f"""
UPDATE api_keys SET scopes = array(SELECT unnest(scopes) EXCEPT SELECT unnest({NEW})) WHERE scopes && {NEW}"""


def upgrade() -> None:
    op.execute(ITEM_SYNCS)
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute("DROP TABLE item_syncs")
