"""What a record was before a change is noted with the run whose row it bore, which need not have changed it."""

from alembic import op

revision = "0036"
down_revision = "0035"

SEQ = "ALTER TABLE record_changes ADD COLUMN before_run_seq bigint"

# As in 0033, but for the last column.
FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off SET enable_mergejoin = off SET enable_hashjoin = on SET enable_seqscan = on AS $$
BEGIN
    IF coalesce(current_setting('sluice.journal', true), '') = 'off' THEN
        RETURN NULL;
    END IF;
    {body};
    RETURN NULL;
END $$"""
SENT_BY = "nullif(current_setting('sluice.sent_by', true), '')"
OLD_BEFORE = "before, before_name, before_created_at, before_updated_at, before_run_id, before_run_row"
OLD_HELD = "o.data, o.name, o.created_at, o.updated_at, o.run_id, o.run_row"
BEFORE, HELD = f"{OLD_BEFORE}, before_run_seq", f"{OLD_HELD}, o.run_seq"
NOTE_UPDATED = f"""
    INSERT INTO record_changes (account_id, type, key, outcome, run_id, run_row, sent_by, {{before}})
    SELECT o.account_id, o.type, o.key, 'updated', n.run_id, n.run_row,
        CASE WHEN n.run_id IS NULL THEN {SENT_BY} END, {{held}}
    FROM held o JOIN made n USING (account_id, type, key)
    WHERE n.updated_at <> o.updated_at AND (n.run_id IS NULL OR n.run_id IS DISTINCT FROM o.run_id)"""
NOTE_REMOVED = f"""
    INSERT INTO record_changes (account_id, type, key, outcome, run_id, sent_by, {{before}})
    SELECT o.account_id, o.type, o.key, 'removed', nullif(current_setting('sluice.run_id', true), ''),
        {SENT_BY}, {{held}}
    FROM held o"""
NOTES = {"note_updated": NOTE_UPDATED, "note_removed": NOTE_REMOVED}


def upgrade() -> None:
    op.execute(SEQ)
    replace_functions(BEFORE, HELD)


def downgrade() -> None:
    replace_functions(OLD_BEFORE, OLD_HELD)
    op.execute("ALTER TABLE record_changes DROP COLUMN before_run_seq")


def replace_functions(before: str, held: str) -> None:
    for name, body in NOTES.items():
        op.execute(FUNCTION.format(name=name, body=body.format(before=before, held=held).strip()))
