"""The audit log: who has changed what, noted by triggers in the transaction that changes it."""

from alembic import op

revision = "0041"
down_revision = "0040"

LOG = """
CREATE TABLE IF NOT EXISTS audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_kind text NOT NULL CONSTRAINT known_actor CHECK (actor_kind IN ('key', 'person', 'operator', 'service')),
    actor_id text,
    actor_name text,
    address text,
    surface text,
    request_id text,
    action text NOT NULL,
    what_id text,
    what_name text,
    fields text[] NOT NULL)"""
INDEXES = {
    "audit_log_by_time": "(account_id, at, id)",
    "audit_log_by_action": "(account_id, action, at, id)",
    "audit_log_by_actor": "(account_id, actor_id, at, id)",
    "audit_log_by_what": "(account_id, what_id, at, id)",
}

# What is noted is never changed. Old rows are deleted.
KEEP = """
CREATE OR REPLACE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only added to';
END $$"""

# Names of columns whose value differs; of two objects, the names of the members that do. Never a value.
CHANGED_FIELDS = """
CREATE OR REPLACE FUNCTION changed_fields(was jsonb, made jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((array_agg(DISTINCT left(coalesce(inside.key, field.key), 64)))[1:50], '{}')
    FROM jsonb_object_keys(was || made) AS field(key)
    LEFT JOIN LATERAL (
        SELECT member.key FROM jsonb_object_keys(CASE WHEN jsonb_typeof(was -> field.key) = 'object'
            AND jsonb_typeof(made -> field.key) = 'object' THEN (was -> field.key) || (made -> field.key)
            ELSE '{}' END) AS member(key)
        WHERE was -> field.key -> member.key IS DISTINCT FROM made -> field.key -> member.key) inside ON true
    WHERE was -> field.key IS DISTINCT FROM made -> field.key
$$"""

# Who acts is told for each transaction: app.observe.acting. Whatever nobody has told is the service's own doing (`by`:
# the schedule or feed behind it), or that of somebody with a client of PostgreSQL.
NOTE = """
CREATE OR REPLACE FUNCTION note_deed(account integer, action text, what_id text, what_name text,
    fields text[] DEFAULT '{}', by text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told jsonb := nullif(current_setting('sluice.acting', true), '')::jsonb;
    kind text := coalesce(told ->> 'kind',
        CASE current_setting('application_name') WHEN 'sluice' THEN 'service' ELSE 'operator' END);
    actor text := CASE WHEN kind = 'service' THEN by ELSE told ->> 'id' END;
BEGIN
    INSERT INTO audit_log (account_id, actor_kind, actor_id, actor_name, address, surface, request_id, action, what_id,
        what_name, fields)
    VALUES (account, kind, actor, left(CASE kind
            WHEN 'key' THEN (SELECT label FROM api_keys WHERE id = actor)
            WHEN 'person' THEN (SELECT email FROM people WHERE id = actor)
            WHEN 'service' THEN coalesce((SELECT name FROM schedules WHERE id = actor),
                (SELECT name FROM feeds WHERE id = actor)) END, 200),
        left(told ->> 'address', 64), told ->> 'surface', told ->> 'request_id', action, left(what_id, 1000),
        left(what_name, 200), fields);
END $$"""

# Arguments: what the rows are; the columns of their id and their name; columns in which the service keeps its own.
NOTE_ROW = """
CREATE OR REPLACE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    not_told text[] := TG_ARGV[3]::text[] || '{created_at,updated_at}';
    was jsonb := CASE TG_OP WHEN 'INSERT' THEN '{}' ELSE to_jsonb(OLD) - not_told END;
    made jsonb := CASE TG_OP WHEN 'DELETE' THEN '{}' ELSE to_jsonb(NEW) - not_told END;
    held jsonb := was || made;
    fields text[] := CASE TG_OP WHEN 'UPDATE' THEN changed_fields(was, made) ELSE '{}' END;
    verb text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END;
BEGIN
    IF TG_OP = 'UPDATE' AND fields = '{}' THEN
        RETURN NULL;
    ELSIF fields = '{enabled}' THEN
        verb := CASE WHEN made ->> 'enabled' = 'true' THEN 'resumed' ELSE 'paused' END;
    ELSIF 'revoked_at' = ANY(fields) THEN
        verb := 'revoked';
    END IF;
    PERFORM note_deed((held ->> 'account_id')::integer, TG_ARGV[0] || '.' || verb, held ->> TG_ARGV[1],
        held ->> TG_ARGV[2], CASE verb WHEN 'changed' THEN fields ELSE '{}' END);
    RETURN NULL;
END $$"""
# Table -> the arguments of its trigger.
ROWS = {
    "api_keys": ("key", "id", "label", "last_used_at"),
    "connections": ("connection", "id", "name", "last_tests"),
    "record_types": ("type", "name", "", ""),
    "mappings": ("mapping", "id", "name", "last_used_at"),
    "coupon_sets": ("coupon_set", "id", "name", ""),
    "item_syncs": ("item_sync", "id", "name", "seen_images"),
    "schedules": ("schedule", "id", "name", "next_run_at,due_at,progress,last_run_id,last_result,failures"),
    "feeds": (
        "feed",
        "id",
        "name",
        "state,detail,failures,looked_at,next_at,tidy_at,round,lease_until,started_at,start_at,start_error",
    ),
    "webhooks": ("webhook", "id", "name", "disabled_code,troubles,resting_until"),
}

# An account that is gone is noted for the operator alone.
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
        fields := changed_fields(to_jsonb(OLD) - '{last_seq,mails_on,mails}'::text[],
            to_jsonb(NEW) - '{last_seq,mails_on,mails}'::text[]);
        IF fields <> '{}' THEN
            PERFORM note_deed(NEW.id, 'account.changed', NEW.id::text, NEW.name, fields);
        END IF;
    END IF;
    RETURN NULL;
END $$"""

NOTE_MEMBER = """
CREATE OR REPLACE FUNCTION note_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    member memberships := coalesce(NEW, OLD);
    verb text := CASE WHEN TG_OP = 'INSERT' THEN 'invited' WHEN TG_OP = 'DELETE' THEN 'removed'
        WHEN OLD.joined_at IS NULL AND NEW.joined_at IS NOT NULL THEN 'joined' ELSE 'changed' END;
    fields text[] := CASE WHEN verb = 'changed' THEN changed_fields(to_jsonb(OLD), to_jsonb(NEW)) ELSE '{}' END;
BEGIN
    IF verb <> 'changed' OR fields <> '{}' THEN
        PERFORM note_deed(member.account_id, 'person.' || verb, member.person_id,
            (SELECT email FROM people WHERE id = member.person_id), fields);
    END IF;
    RETURN NULL;
END $$"""
# In each account that the person belongs to. One that has only invited them learns nothing of what they do elsewhere.
NOTE_PERSON = """
CREATE OR REPLACE FUNCTION note_person() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fields text[] := changed_fields(to_jsonb(OLD) - '{theme,signed_in_at}'::text[],
        to_jsonb(NEW) - '{theme,signed_in_at}'::text[]);
BEGIN
    IF fields <> '{}' THEN
        PERFORM note_deed(account_id, 'person.changed', NEW.id, NEW.email, fields)
        FROM memberships WHERE person_id = NEW.id AND joined_at IS NOT NULL;
    END IF;
    RETURN NULL;
END $$"""
NOTE_LINK = """
CREATE OR REPLACE FUNCTION note_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_deed(m.account_id, 'person.link_made', p.id, p.email)
    FROM people p JOIN memberships m ON m.person_id = p.id
    WHERE p.id = NEW.person_id
        AND (m.account_id = NEW.account_id OR NEW.account_id IS NULL AND m.joined_at IS NOT NULL);
    RETURN NULL;
END $$"""
NOTE_SESSION = """
CREATE OR REPLACE FUNCTION note_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_deed(NEW.account_id, 'session.started', NEW.id, NULL);
    RETURN NULL;
END $$"""
# A token is called by its key, because only its hash is stored. One that has expired is not revoked.
NOTE_ACCESS = """
CREATE OR REPLACE FUNCTION note_token() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    token tokens := coalesce(NEW, OLD);
BEGIN
    IF TG_OP = 'INSERT' OR token.expires_at > now() THEN
        PERFORM note_deed(account_id, CASE TG_OP WHEN 'INSERT' THEN 'token.issued' ELSE 'token.revoked' END, id, label)
        FROM api_keys WHERE id = token.key_id;
    END IF;
    RETURN NULL;
END $$"""

# Who starts a run and decides about it; what a worker does with it is told by the run.
NOTE_RUN = """
CREATE OR REPLACE FUNCTION note_run() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run runs := coalesce(NEW, OLD);
    verb text := CASE
        WHEN TG_OP = 'INSERT' THEN CASE NEW.relation WHEN 'retry' THEN 'retried' WHEN 'rerun' THEN 'rerun'
            WHEN 'correction' THEN 'corrected' ELSE 'started' END
        WHEN TG_OP = 'DELETE' OR NEW.pruned_at IS NOT NULL THEN 'deleted'
        WHEN NEW.state = 'cancelled' THEN 'cancelled'
        WHEN OLD.state = 'planned' THEN 'committed'
        ELSE 'resumed' END;
BEGIN
    PERFORM note_deed(run.account_id, run.kind || '.' || verb, run.id, coalesce(run.name, run.file_name),
        '{}', CASE verb WHEN 'deleted' THEN NULL WHEN 'cancelled' THEN NULL ELSE run.created_by END);
    RETURN NULL;
END $$"""

# Trigger -> when, on which table, and what it does.
TRIGGERS = {
    "keep_audit_log": "BEFORE UPDATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_log()",
    **{
        f"note_{table}": f"AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION note_row('{kind}', '{key}', '{name}', '{{{ignored}}}')"
        for table, (kind, key, name, ignored) in ROWS.items()
    },
    "note_accounts": "AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION note_account()",
    "note_memberships": "AFTER INSERT OR UPDATE OR DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION note_member()",
    "note_people": "AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note_person()",
    "note_person_links": "AFTER INSERT ON person_links FOR EACH ROW EXECUTE FUNCTION note_link()",
    "note_sessions": "AFTER INSERT OR UPDATE OF account_id ON sessions FOR EACH ROW EXECUTE FUNCTION note_session()",
    "note_tokens": "AFTER INSERT OR DELETE ON tokens FOR EACH ROW EXECUTE FUNCTION note_token()",
    "note_runs": "AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION note_run()",
    # A worker updates its run with each batch: the condition is looked at before anything is called.
    "note_decisions": "AFTER UPDATE ON runs FOR EACH ROW WHEN ("
    "OLD.state IN ('halted', 'planned') AND NEW.state = 'queued' "
    "OR OLD.state <> 'cancelled' AND NEW.state = 'cancelled' "
    "OR OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL) EXECUTE FUNCTION note_run()",
    "note_deleted_runs": "AFTER DELETE ON runs FOR EACH ROW WHEN (OLD.pruned_at IS NULL) EXECUTE FUNCTION note_run()",
}
TABLE_OF = {name: when.split(" ON ")[1].split()[0] for name, when in TRIGGERS.items()}
FUNCTIONS = {
    "keep_audit_log": KEEP,
    "changed_fields": CHANGED_FIELDS,
    "note_deed": NOTE,
    "note_row": NOTE_ROW,
    "note_account": NOTE_ACCOUNT,
    "note_member": NOTE_MEMBER,
    "note_person": NOTE_PERSON,
    "note_link": NOTE_LINK,
    "note_session": NOTE_SESSION,
    "note_token": NOTE_ACCESS,
    "note_run": NOTE_RUN,
}


# A trigger that is made or dropped waits for who writes into its table, and keeps others waiting meanwhile: so each has
# a transaction of its own, and an attempt that was cut off is gone through again.
def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(LOG)
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON audit_log {columns}")
        for statement in FUNCTIONS.values():
            op.execute(statement)
        for name, when in TRIGGERS.items():
            op.execute(f"CREATE OR REPLACE TRIGGER {name} {when}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, table in TABLE_OF.items():
            if table != "audit_log":
                op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        op.execute("DROP TABLE IF EXISTS audit_log")
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION IF EXISTS {name}")
