"""The journal of what runs and single writes have changed, which triggers fill; and runs that undo others."""

from alembic import op

revision = "0033"
down_revision = "0032"

OLD_KIND = "known_kind CHECK (kind IN ('import', 'export', 'sync'))"
KIND = "known_kind CHECK (kind IN ('import', 'export', 'sync', 'undo'))"
SWAP = "ALTER TABLE runs DROP CONSTRAINT known_kind, ADD CONSTRAINT {kind} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_kind"
UNDONE = "ALTER TABLE runs ADD COLUMN undone_by text"

# One sequence for both tables: of two changes of one record the later one has the higher number.
NUMBERS = "CREATE SEQUENCE record_changes_id"
CHANGES = """
CREATE TABLE record_changes (
    id bigint NOT NULL DEFAULT nextval('record_changes_id'),
    account_id integer NOT NULL,
    type text NOT NULL,
    key text COLLATE "C" NOT NULL,
    outcome text NOT NULL,
    run_id text,
    run_row integer,
    sent_by text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    before jsonb,
    before_name text COLLATE "C",
    before_created_at timestamptz,
    before_updated_at timestamptz,
    before_run_id text,
    before_run_row integer,
    PRIMARY KEY (account_id, type, key, id))"""
OF_RUN = "CREATE INDEX record_changes_of_run ON record_changes (run_id, id) WHERE run_id IS NOT NULL"
# A hundredth of what a B-tree costs: changes are stored in the order of their times.
BY_TIME = "CREATE INDEX record_changes_by_time ON record_changes USING brin (changed_at)"
# A row for each created record took as long as the record itself.
CREATED = """
CREATE TABLE created_records (
    id bigint NOT NULL DEFAULT nextval('record_changes_id'),
    run_id text NOT NULL,
    account_id integer NOT NULL,
    type text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    keys text[] COLLATE "C" NOT NULL,
    rows integer[] NOT NULL,
    PRIMARY KEY (run_id, id))"""

# Of a transition table the planner knows nothing but its size, and a batch forbids hash joins to itself.
FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off SET enable_mergejoin = off SET enable_hashjoin = on SET enable_seqscan = on AS $$
BEGIN
    IF coalesce(current_setting('sluice.journal', true), '') = 'off' THEN
        RETURN NULL;
    END IF;
    {body};
    RETURN NULL;
END $$"""
SENT_BY = "nullif(current_setting('sluice.sent_by', true), '')"
NOTE_CREATED = f"""
    INSERT INTO created_records (account_id, type, run_id, keys, rows)
    SELECT account_id, type, run_id, array_agg(key), array_agg(run_row) FROM made WHERE run_id IS NOT NULL
    GROUP BY account_id, type, run_id;
    INSERT INTO record_changes (account_id, type, key, outcome, sent_by)
    SELECT account_id, type, key, 'created', {SENT_BY} FROM made WHERE run_id IS NULL"""
BEFORE = "before, before_name, before_created_at, before_updated_at, before_run_id, before_run_row"
HELD = "o.data, o.name, o.created_at, o.updated_at, o.run_id, o.run_row"
# A run that changes a record once more has noted what was there before it.
NOTE_UPDATED = f"""
    INSERT INTO record_changes (account_id, type, key, outcome, run_id, run_row, sent_by, {BEFORE})
    SELECT o.account_id, o.type, o.key, 'updated', n.run_id, n.run_row,
        CASE WHEN n.run_id IS NULL THEN {SENT_BY} END, {HELD}
    FROM held o JOIN made n USING (account_id, type, key)
    WHERE n.updated_at <> o.updated_at AND (n.run_id IS NULL OR n.run_id IS DISTINCT FROM o.run_id)"""
NOTE_REMOVED = f"""
    INSERT INTO record_changes (account_id, type, key, outcome, run_id, sent_by, {BEFORE})
    SELECT o.account_id, o.type, o.key, 'removed', nullif(current_setting('sluice.run_id', true), ''), {SENT_BY}, {HELD}
    FROM held o"""
NOTES = {"created": NOTE_CREATED, "updated": NOTE_UPDATED, "removed": NOTE_REMOVED}
TRIGGERS = {
    "created": "AFTER INSERT ON records REFERENCING NEW TABLE AS made",
    "updated": "AFTER UPDATE ON records REFERENCING OLD TABLE AS held NEW TABLE AS made",
    "removed": "AFTER DELETE ON records REFERENCING OLD TABLE AS held",
}


def upgrade() -> None:
    for statement in (UNDONE, SWAP.format(kind=KIND), NUMBERS, CHANGES, OF_RUN, BY_TIME, CREATED):
        op.execute(statement)
    for what, body in NOTES.items():
        op.execute(FUNCTION.format(name=f"note_{what}", body=body.strip()))
        op.execute(f"CREATE TRIGGER note_{what} {TRIGGERS[what]} FOR EACH STATEMENT EXECUTE FUNCTION note_{what}()")
    op.execute(VALIDATE)


def downgrade() -> None:
    for what in NOTES:
        op.execute(f"DROP TRIGGER note_{what} ON records")
        op.execute(f"DROP FUNCTION note_{what}")
    for statement in (
        "DROP TABLE created_records",
        "DROP TABLE record_changes",
        "DROP SEQUENCE record_changes_id",
        "DELETE FROM runs WHERE kind = 'undo'",
        SWAP.format(kind=OLD_KIND),
        VALIDATE,
        "ALTER TABLE runs DROP COLUMN undone_by",
    ):
        op.execute(statement)
