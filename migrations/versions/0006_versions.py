"""Processes of several releases on one database, a daily limit of mails, and what release 0.1 left behind."""

from alembic import op
from sqlalchemy import Connection, text

from app.resources.email import decode_domain

revision = "0006"
down_revision = "0005"

BATCH = 1_000

# A worker leaves runs alone whose plan is newer than it knows. It tells which it knows when it connects. Release 0.1
# tells nothing and does not look: for it, and whatever else does not look, the trigger refuses the claim.
RUNS = "ALTER TABLE runs ADD COLUMN plan_version smallint NOT NULL DEFAULT 1"
REFUSE_CLAIM = """
CREATE FUNCTION refuse_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"""
NEWER_PLANS = """
CREATE TRIGGER newer_plans BEFORE UPDATE ON runs FOR EACH ROW
WHEN (NEW.plan_version > 1 AND OLD.lease_until IS NULL AND NEW.lease_until IS NOT NULL
    AND NEW.plan_version > coalesce(nullif(current_setting('sluice.plan_version', true), ''), '1')::integer)
EXECUTE FUNCTION refuse_claim()"""

# The oldest schema whose code works with this one, too. A migration that takes something away raises it.
SCHEMA_COMPAT = """
CREATE TABLE schema_compat (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    oldest text NOT NULL)"""
COMPATIBLE = "INSERT INTO schema_compat (oldest) VALUES ('0003')"

# How many mails the account sent on its last day with any.
ACCOUNTS = "ALTER TABLE accounts ADD COLUMN mails_on date, ADD COLUMN mails integer NOT NULL DEFAULT 0"

# The index `runs_open` stays: processes of release 0.1 still use it, and they may be at work now. A release that 0.1 is
# not compatible with can drop it.
UP = (RUNS, REFUSE_CLAIM, NEWER_PLANS, SCHEMA_COMPAT, COMPATIBLE, ACCOUNTS)
DOWN = (
    "ALTER TABLE accounts DROP COLUMN mails_on, DROP COLUMN mails",
    "DROP TABLE schema_compat",
    "DROP TRIGGER newer_plans ON runs",
    "DROP FUNCTION refuse_claim",
    "ALTER TABLE runs DROP COLUMN plan_version",
)

# Release 0.1 kept plans and options of pruned runs for ever.
NEXT_TOMBSTONES = """
SELECT id FROM runs WHERE pruned_at IS NOT NULL AND id > :after ORDER BY id LIMIT :limit"""
EMPTY_TOMBSTONES = """
UPDATE runs SET plan = '{}', options = '{}' WHERE id = ANY(:ids) AND (plan <> '{}' OR options <> '{}')"""

# Records whose key is an e-mail address with an `xn--` domain: release 0.1 took it as it was sent. Own types say which
# of their fields is the key. A contact may be known by an id instead.
ASCII_KEYS = """
SELECT r.account_id, r.type, r.key AS ascii_key FROM records r WHERE r.key LIKE '%@%xn--%' AND (
    r.type = 'contacts' AND lower(btrim(r.data->>'_email')) = r.key
    OR EXISTS (
        SELECT FROM record_types t, jsonb_array_elements(t.declaration->'fields') field
        WHERE t.account_id = r.account_id AND t.name = r.type AND t.declaration ? 'key'
            AND field->>'id' = t.declaration->>'key' AND field->>'type' = 'email'))"""
RENAME = """
UPDATE records SET key = :key WHERE account_id = :account_id AND type = :type AND key = :ascii_key
    AND NOT EXISTS (SELECT FROM records WHERE account_id = :account_id AND type = :type AND key = :key)"""


def upgrade() -> None:
    # In many short transactions, and first: when this is interrupted it can begin again.
    with op.get_context().autocommit_block():
        empty_tombstones(op.get_bind())
        decode_keys(op.get_bind())
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)


def empty_tombstones(connection: Connection) -> None:
    after = ""
    while ids := connection.execute(text(NEXT_TOMBSTONES), {"after": after, "limit": BATCH}).scalars().all():
        connection.execute(text(EMPTY_TOMBSTONES), {"ids": ids})
        after = ids[-1]


def decode_keys(connection: Connection) -> None:
    """Gives records the key under which they are looked for today. Where there is a record under that key already both
    stay, because nobody can say which of them is right."""
    for record in connection.execute(text(ASCII_KEYS)).mappings().all():
        connection.execute(text(RENAME), {**record, "key": decode_domain(record["ascii_key"])})
