"""Quotas of accounts, the keys of the operator, and how far the deletion of an account has come."""

from alembic import op

revision = "0042"
down_revision = "0041"

# `erased` counts what is gone of an account that is being deleted. The defaults are constants: no row is written anew.
ACCOUNTS = """
ALTER TABLE accounts ADD COLUMN quotas jsonb NOT NULL DEFAULT '{}', ADD COLUMN deleting_at timestamptz,
    ADD COLUMN erased jsonb NOT NULL DEFAULT '{}'"""
ACCOUNTS_BEFORE = "ALTER TABLE accounts DROP COLUMN quotas, DROP COLUMN deleting_at, DROP COLUMN erased"
OPERATOR_KEYS = """
CREATE TABLE operator_keys (
    id text PRIMARY KEY,
    secret_hash bytea NOT NULL,
    label text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
)"""

# As in 0041. An erasure raises `erased` with each piece, and that is nobody's deed.
OWN_COLUMNS = "{{last_seq,mails_on,mails{more}}}"
NOTE_ACCOUNT = """
CREATE OR REPLACE FUNCTION note_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fields text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_deed(NEW.id, 'account.created', NEW.id::text, NEW.name);
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM note_deed(NULL, 'account.deleted', OLD.id::text, OLD.name);
    ELSE
        fields := changed_fields(to_jsonb(OLD) - '%(own)s'::text[], to_jsonb(NEW) - '%(own)s'::text[]);
        IF fields <> '{}' THEN
            PERFORM note_deed(NEW.id, 'account.changed', NEW.id::text, NEW.name, fields);
        END IF;
    END IF;
    RETURN NULL;
END $$"""
NOTE_KEYS = """
CREATE TRIGGER note_operator_keys AFTER INSERT OR UPDATE ON operator_keys FOR EACH ROW
EXECUTE FUNCTION note_row('operator_key', 'id', 'label', '{last_used_at}')"""


def upgrade() -> None:
    op.execute(ACCOUNTS)
    op.execute(OPERATOR_KEYS)
    op.execute(NOTE_KEYS)
    op.execute(NOTE_ACCOUNT % {"own": OWN_COLUMNS.format(more=",erased")})


def downgrade() -> None:
    """An account in the middle of its deletion stays as far as it is erased: its keys are revoked."""
    op.execute(NOTE_ACCOUNT % {"own": OWN_COLUMNS.format(more="")})
    op.execute("DROP TABLE operator_keys")
    op.execute(ACCOUNTS_BEFORE)
