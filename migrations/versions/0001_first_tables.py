"""The first tables: accounts and their keys, types, coupon sets, runs with their batches, and the records."""

from alembic import op

revision = "0001"
down_revision = None

ACCOUNTS = """
CREATE TABLE accounts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    last_seq bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
)"""

API_KEYS = """
CREATE TABLE api_keys (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
)"""

RECORD_TYPES = """
CREATE TABLE record_types (
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL,
    declaration jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, name)
)"""

COUPON_SETS = """
CREATE TABLE coupon_sets (
    account_id integer NOT NULL REFERENCES accounts,
    id text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
)"""

RUNS = """
CREATE TABLE runs (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    seq bigint NOT NULL,
    type text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed')),
    options jsonb NOT NULL,
    plan jsonb NOT NULL,
    blob text,
    file_name text,
    file_bytes bigint NOT NULL,
    file_sha256 text NOT NULL,
    total integer CHECK (total >= 0),
    created integer NOT NULL DEFAULT 0 CHECK (created >= 0),
    updated integer NOT NULL DEFAULT 0 CHECK (updated >= 0),
    unchanged integer NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
    skipped integer NOT NULL DEFAULT 0 CHECK (skipped >= 0),
    failed integer NOT NULL DEFAULT 0 CHECK (failed >= 0),
    at_offset bigint NOT NULL DEFAULT 0,
    at_line integer NOT NULL DEFAULT 1,
    at_row integer NOT NULL DEFAULT 0,
    batches integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    crashes smallint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    heartbeat_at timestamptz,
    due_at timestamptz NOT NULL,
    error_summary jsonb NOT NULL DEFAULT '[]',
    warnings jsonb NOT NULL DEFAULT '[]',
    fail_code text,
    fail_detail text,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    pruned_at timestamptz,
    UNIQUE (account_id, seq),
    -- The law of the house: no more rows may have an outcome than there are rows.
    CONSTRAINT conservation CHECK (created + updated + unchanged + skipped + failed <= total),
    CONSTRAINT finished_means_all CHECK
        (state <> 'finished' OR created + updated + unchanged + skipped + failed = total),
    CONSTRAINT ended_has_a_time CHECK ((state IN ('finished', 'failed')) = (finished_at IS NOT NULL)),
    CONSTRAINT ended_has_no_lease CHECK (lease_until IS NULL OR state = 'running'),
    CONSTRAINT failure_has_a_code CHECK ((state = 'failed') = (fail_code IS NOT NULL))
)"""

# The queue, the sweeper and the limit look only at runs that have not ended: a small index however many have.
RUNS_OPEN = "CREATE INDEX runs_open ON runs (account_id, type, seq) WHERE state IN ('queued', 'running')"
RUNS_ENDED = "CREATE INDEX runs_ended ON runs (finished_at) WHERE pruned_at IS NULL AND finished_at IS NOT NULL"

BATCHES = """
CREATE TABLE batches (
    run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
    number integer NOT NULL,
    attempt integer NOT NULL,
    at_offset bigint NOT NULL,
    at_line integer NOT NULL,
    at_row integer NOT NULL,
    created integer NOT NULL,
    updated integer NOT NULL,
    unchanged integer NOT NULL,
    skipped integer NOT NULL,
    failed integer NOT NULL,
    problem_count integer NOT NULL,
    problems bytea,
    committed_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, number)
)"""

# Keys compare by bytes: it is faster than any language's order and the same on every server.
RECORDS = """
CREATE TABLE records (
    account_id integer NOT NULL,
    type text NOT NULL,
    key text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    run_id text NOT NULL,
    run_seq bigint NOT NULL,
    run_row integer NOT NULL,
    repeats_row integer,
    PRIMARY KEY (account_id, type, key)
)"""

TABLES = (ACCOUNTS, API_KEYS, RECORD_TYPES, COUPON_SETS, RUNS, RUNS_OPEN, RUNS_ENDED, BATCHES, RECORDS)
NAMES = ("records", "batches", "runs", "coupon_sets", "record_types", "api_keys", "accounts")


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)


def downgrade() -> None:
    for name in NAMES:
        op.execute(f"DROP TABLE {name}")
