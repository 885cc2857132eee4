"""Accounts that the operator has suspended."""

from alembic import op

revision = "0044"
down_revision = "0043"

# The index has the suspended ones alone: whoever looks for work reads nothing while there are none.
SUSPENDED = "ALTER TABLE accounts ADD COLUMN IF NOT EXISTS suspended_at timestamptz"
INDEX = "CREATE INDEX IF NOT EXISTS suspended_accounts ON accounts (id) WHERE suspended_at IS NOT NULL"

# As in 0042, with a word for what is suspended and active again.
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
        fields := changed_fields(to_jsonb(OLD) - '{last_seq,mails_on,mails,erased}'::text[],
            to_jsonb(NEW) - '{last_seq,mails_on,mails,erased}'::text[]);
%s        IF fields <> '{}' THEN
            PERFORM note_deed(NEW.id, 'account.changed', NEW.id::text, NEW.name, fields);
        END IF;
    END IF;
    RETURN NULL;
END $$"""
SWITCHED = """        IF 'suspended_at' = ANY(fields) THEN
            PERFORM note_deed(NEW.id, CASE WHEN NEW.suspended_at IS NULL THEN 'account.activated'
                ELSE 'account.suspended' END, NEW.id::text, NEW.name);
            fields := array_remove(fields, 'suspended_at');
        END IF;
"""


def upgrade() -> None:
    for statement in (SUSPENDED, INDEX, NOTE_ACCOUNT % SWITCHED):
        op.execute(statement)


def downgrade() -> None:
    """Suspended accounts are active again: no earlier release knows that they are not."""
    op.execute(NOTE_ACCOUNT % "")
    op.execute("ALTER TABLE accounts DROP COLUMN suspended_at")
