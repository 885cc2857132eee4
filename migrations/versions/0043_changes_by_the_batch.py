"""What a batch changes is noted in a row for some hundred records, in the order of their keys (ADR 76)."""

from alembic import op

revision = "0043"
down_revision = "0042"

# Nobody writes records meanwhile, so no trigger is at work that knows the earlier tables.
ALONE = "LOCK TABLE records IN SHARE ROW EXCLUSIVE MODE"
# Each of a batch's records has a number of its own behind that of the batch.
SPACED = "ALTER SEQUENCE record_changes_id INCREMENT BY 1024"
OF_RECORDS = "ALTER TABLE record_changes RENAME TO changed_records"
OF_BATCHES = """
CREATE TABLE changed_batches (
    id bigint NOT NULL DEFAULT nextval('record_changes_id') PRIMARY KEY,
    account_id integer NOT NULL,
    type text NOT NULL,
    outcome text NOT NULL,
    run_id text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    before_run_id text,
    changes integer NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    keys text[] COLLATE "C" NOT NULL,
    rows integer[],
    befores jsonb[] NOT NULL,
    before_names text[] COLLATE "C",
    before_created_at timestamptz[] NOT NULL,
    before_updated_at timestamptz[] NOT NULL,
    before_rows integer[] NOT NULL,
    before_seqs bigint[] NOT NULL)"""
# To compress what the records were took a tenth of the time of a changed record.
NOT_COMPRESSED = """
ALTER TABLE changed_batches ALTER keys SET STORAGE EXTERNAL, ALTER befores SET STORAGE EXTERNAL"""
INDEXES = {
    "changed_batches_of_run": "(run_id, id)",
    "changed_batches_after_run": "(before_run_id, id) WHERE before_run_id IS NOT NULL",
    "changed_batches_of_type": "(account_id, type, id)",
    "changed_batches_by_time": "USING brin (changed_at)",
}

ONE_BY_ONE = """account_id, type, key, id, outcome, run_id, run_row, sent_by, changed_at, before, before_name,
    before_created_at, before_updated_at, before_run_id, before_run_row, before_run_seq"""
UNPACKED = """
    SELECT b.account_id, b.type, made.key, b.id + made.place - 1 AS id, b.outcome, b.run_id, made.row AS run_row,
        CAST(NULL AS text) AS sent_by, b.changed_at, made.before, made.name AS before_name, made.created_at,
        made.updated_at, b.before_run_id, made.before_row, made.seq
    FROM changed_batches b CROSS JOIN LATERAL unnest(
        b.keys, b.rows, b.befores, b.before_names, b.before_created_at, b.before_updated_at, b.before_rows,
        b.before_seqs) WITH ORDINALITY
        AS made(key, row, before, name, created_at, updated_at, before_row, seq, place)"""
# All changes as earlier releases read them, and with the place by which they delete what is old.
VIEW = f"""
CREATE VIEW record_changes AS
SELECT {ONE_BY_ONE}, ctid FROM changed_records UNION ALL SELECT *, CAST(NULL AS tid) FROM ({UNPACKED}) AS unpacked"""
DROP_ONE = """
CREATE FUNCTION drop_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM changed_records WHERE ctid = OLD.ctid;
    RETURN OLD;
END $$"""
ON_DELETE = """
CREATE TRIGGER drop_record_change INSTEAD OF DELETE ON record_changes
FOR EACH ROW EXECUTE FUNCTION drop_record_change()"""

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
REMOVED_BY = "nullif(current_setting('sluice.run_id', true), '')"
BEFORE = """before, before_name, before_created_at, before_updated_at, before_run_id, before_run_row,
        before_run_seq"""
HELD = "o.data, o.name, o.created_at, o.updated_at, o.run_id, o.run_row, o.run_seq"
NOTE_CREATED = f"""
    INSERT INTO created_records (account_id, type, run_id, keys, rows)
    SELECT account_id, type, run_id, array_agg(key), array_agg(run_row) FROM made WHERE run_id IS NOT NULL
    GROUP BY account_id, type, run_id;
    INSERT INTO {{table}} (account_id, type, key, outcome, sent_by)
    SELECT account_id, type, key, 'created', {SENT_BY} FROM made WHERE run_id IS NULL"""
# A run that changes a record once more has noted what was there before it.
CHANGED = """
    FROM held o JOIN made n USING (account_id, type, key)
    WHERE n.updated_at <> o.updated_at AND (n.run_id IS NULL OR n.run_id IS DISTINCT FROM o.run_id)"""
UPDATED_ONE_BY_ONE = f"""INSERT INTO {{table}} (account_id, type, key, outcome, run_id, run_row, sent_by, {BEFORE})
    SELECT o.account_id, o.type, o.key, 'updated', n.run_id, n.run_row,
        CASE WHEN n.run_id IS NULL THEN {SENT_BY} END, {HELD}{CHANGED}"""
REMOVED_ONE_BY_ONE = f"""INSERT INTO {{table}} (account_id, type, key, outcome, run_id, sent_by, {BEFORE})
    SELECT o.account_id, o.type, o.key, 'removed', {REMOVED_BY}, {SENT_BY}, {HELD} FROM held o"""
# A row has at most 656 records, and about 128 kB: what comes in the order of the keys is cut into narrow ranges, in
# which one key is soon found.
IN_BATCHES = """INSERT INTO changed_batches (account_id, type, outcome, run_id, before_run_id, changes,
        first_key, last_key, keys, rows, befores, before_names, before_created_at, before_updated_at, before_rows,
        before_seqs)
    SELECT account_id, type, '{outcome}', run_id, before_run_id, count(*), min(key), max(key),
        array_agg(key), {rows}, array_agg(data), CASE WHEN count(name) > 0 THEN array_agg(name) END,
        array_agg(created_at), array_agg(updated_at), array_agg(run_row), array_agg(run_seq)
    FROM (
        SELECT o.account_id, o.type, {run_id} AS run_id, {row} AS made_by, o.run_id AS before_run_id, o.key, o.data,
            o.name, o.created_at, o.updated_at, o.run_row, o.run_seq,
            sum(200 + pg_column_size(o.data)) OVER (ROWS UNBOUNDED PRECEDING) / 131072 AS part{source}) AS parts
    GROUP BY account_id, type, run_id, before_run_id, part"""
UPDATED = IN_BATCHES.format(
    outcome="updated", run_id="n.run_id", row="n.run_row", rows="array_agg(made_by)", source=CHANGED
)
REMOVED = IN_BATCHES.format(
    outcome="removed", run_id=REMOVED_BY, row="NULL", rows="NULL", source="\n        FROM held o"
)
# What no run has changed is noted one by one, with the key or person that did.
NOTE = """IF {of_a_run} THEN
        {batches};
    ELSE
        {one_by_one};
    END IF"""
NOTE_UPDATED = NOTE.format(
    of_a_run="NOT EXISTS (SELECT FROM made WHERE run_id IS NULL)",
    batches=UPDATED,
    one_by_one=UPDATED_ONE_BY_ONE,
)
NOTE_REMOVED = NOTE.format(of_a_run=f"{REMOVED_BY} IS NOT NULL", batches=REMOVED, one_by_one=REMOVED_ONE_BY_ONE)

UNPACK = f"INSERT INTO record_changes ({ONE_BY_ONE}) {UNPACKED}"


def upgrade() -> None:
    for statement in (ALONE, SPACED, OF_RECORDS, OF_BATCHES, NOT_COMPRESSED):
        op.execute(statement)
    for name, of in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON changed_batches {of}")
    for statement in (VIEW, DROP_ONE, ON_DELETE):
        op.execute(statement)
    replace_functions("changed_records", NOTE_UPDATED, NOTE_REMOVED)


def downgrade() -> None:
    for statement in (
        ALONE,
        "DROP VIEW record_changes",
        "DROP FUNCTION drop_record_change",
        "ALTER TABLE changed_records RENAME TO record_changes",
        UNPACK,
        "DROP TABLE changed_batches",
        "SELECT nextval('record_changes_id')",  # beyond the numbers of the last batch's records
        "ALTER SEQUENCE record_changes_id INCREMENT BY 1",
    ):
        op.execute(statement)
    replace_functions("record_changes", UPDATED_ONE_BY_ONE, REMOVED_ONE_BY_ONE)


def replace_functions(table: str, note_updated: str, note_removed: str) -> None:
    bodies = {"note_created": NOTE_CREATED, "note_updated": note_updated, "note_removed": note_removed}
    for name, body in bodies.items():
        op.execute(FUNCTION.format(name=name, body=body.format(table=table).strip()))
