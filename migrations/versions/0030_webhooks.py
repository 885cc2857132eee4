"""Webhooks, what is to be sent to them, and which of them a run names; and the new scopes for keys that have all."""

from alembic import op

revision = "0030"
down_revision = "0029"

WEBHOOKS = """
CREATE TABLE webhooks (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    url text NOT NULL,
    events text[] NOT NULL,
    only_named boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true,
    disabled_code text,
    secret bytea NOT NULL,
    troubles integer NOT NULL DEFAULT 0,
    resting_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account_id, name)
)"""
DELIVERIES = """
CREATE TABLE webhook_deliveries (
    id text PRIMARY KEY,
    account_id integer NOT NULL,
    webhook_id text NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    run_id text,
    event text NOT NULL,
    data json NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    tries integer NOT NULL DEFAULT 0,
    step integer NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    lease_until timestamptz,
    tried_at timestamptz,
    last_status integer,
    last_reason text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT ended_or_pending CHECK ((state = 'pending') = (ended_at IS NULL))
)"""
INDEXES = (
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at) WHERE state = 'pending'",
    "CREATE INDEX webhook_deliveries_shown ON webhook_deliveries (webhook_id, created_at DESC, id DESC)",
    "CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL",
)
NAMED = "ALTER TABLE runs ADD COLUMN webhook_id text"

# Keys that have every scope that there was get those that are new.
ALL = """'{imports:read,imports:write,imports:delete,records:read,types:read,types:write,mappings:read,mappings:write,
connections:read,connections:write,exports:read,exports:write,syncs:read,syncs:write,schedules:read,schedules:write,
feeds:read,feeds:write}'::text[]"""
NEW = ("webhooks:read", "webhooks:write")
GRANT = f"""
UPDATE api_keys SET scopes = scopes || array(SELECT unnest('{{{",".join(NEW)}}}'::text[]) EXCEPT SELECT unnest(scopes))
WHERE scopes @> {ALL}"""
REVOKE = f"""
UPDATE api_keys SET scopes = array(SELECT unnest(scopes) EXCEPT SELECT unnest('{{{",".join(NEW)}}}'::text[]))
WHERE scopes && '{{{",".join(NEW)}}}'::text[]"""


def upgrade() -> None:
    for statement in (WEBHOOKS, DELIVERIES, *INDEXES, NAMED, GRANT):
        op.execute(statement)


def downgrade() -> None:
    for statement in (REVOKE, "ALTER TABLE runs DROP COLUMN webhook_id"):
        op.execute(statement)
    for table in ("webhook_deliveries", "webhooks"):
        op.execute(f"DROP TABLE {table}")
