"""Schedules, and the new scopes for keys that may do everything else."""

from alembic import op

revision = "0017"
down_revision = "0016"

SCHEDULES = """
CREATE TABLE schedules (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    kind text NOT NULL,
    target text,
    request json NOT NULL,
    cron text NOT NULL,
    timezone text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    next_run_at timestamptz,
    due_at timestamptz,
    progress json,
    last_run_id text,
    last_result json,
    failures integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account_id, name),
    CONSTRAINT paused_is_not_due CHECK (enabled OR due_at IS NULL)
)"""
DUE = "CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL"

# Keys that have every scope that there was get those that are new.
ALL = """'{imports:read,imports:write,imports:delete,records:read,types:read,types:write,mappings:read,mappings:write,
connections:read,connections:write,exports:read,exports:write}'::text[]"""
NEW = ("schedules:read", "schedules:write")
GRANT = f"""
UPDATE api_keys SET scopes = scopes || array(SELECT unnest('{{{",".join(NEW)}}}'::text[]) EXCEPT SELECT unnest(scopes))
WHERE scopes @> {ALL}"""
REVOKE = f"""
UPDATE api_keys SET scopes = array(SELECT unnest(scopes) EXCEPT SELECT unnest('{{{",".join(NEW)}}}'::text[]))
WHERE scopes && '{{{",".join(NEW)}}}'::text[]"""


def upgrade() -> None:
    op.execute(SCHEDULES)
    op.execute(DUE)
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute("DROP TABLE schedules")
