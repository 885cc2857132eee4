"""Mapping templates, and the new scopes for keys that may do everything else."""

from alembic import op

revision = "0010"
down_revision = "0009"

# The unique index serves lists, too, which are ordered by name and type. `json` and not `jsonb`: the order of members
# stays as it was sent.
MAPPINGS = """
CREATE TABLE mappings (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    type text NOT NULL,
    mapping json NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account_id, name, type)
)"""

# Keys that were made without a choice of scopes have all that there were, and get those that are new.
ALL = """'{imports:read,imports:write,imports:delete,records:read,types:read,types:write,connections:read,
connections:write}'::text[]"""
NEW = ("mappings:read", "mappings:write", "exports:read", "exports:write")
GRANT = f"""
UPDATE api_keys SET scopes = scopes || array(SELECT unnest('{{{",".join(NEW)}}}'::text[]) EXCEPT SELECT unnest(scopes))
WHERE scopes @> {ALL}"""
REVOKE = f"""
UPDATE api_keys SET scopes = array(SELECT unnest(scopes) EXCEPT SELECT unnest('{{{",".join(NEW)}}}'::text[]))
WHERE scopes && '{{{",".join(NEW)}}}'::text[]"""


def upgrade() -> None:
    op.execute(MAPPINGS)
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute("DROP TABLE mappings")
