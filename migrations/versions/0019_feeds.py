"""Feeds, the versions of files that they have seen, and the new scopes for keys that may do everything else."""

from alembic import op

revision = "0019"
down_revision = "0018"

# What is watched, what its imports do (`json`: members stay as they were sent), and what came of the last visit.
FEEDS = """
CREATE TABLE feeds (
    id text PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    connection_id text NOT NULL,
    request json NOT NULL,
    every integer NOT NULL CHECK (every > 0),
    afterwards text NOT NULL,
    on_failed text NOT NULL,
    enabled boolean NOT NULL,
    created_by text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'new' CONSTRAINT known_feed_state
        CHECK (state IN ('new', 'ok', 'empty', 'missing', 'failing')),
    detail text,
    failures integer NOT NULL DEFAULT 0,
    looked_at timestamptz,
    next_at timestamptz NOT NULL,
    tidy_at timestamptz,
    round integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    started_at timestamptz,
    start_at timestamptz,
    start_error text,
    UNIQUE (account_id, name)
)"""
# `key` stands for connection, path and version: paths are too long for an index.
SEEN_FILES = """
CREATE TABLE seen_files (
    feed_id text NOT NULL REFERENCES feeds ON DELETE CASCADE,
    key text NOT NULL,
    connection_id text NOT NULL,
    path text NOT NULL,
    size bigint,
    modified timestamptz,
    tag text,
    state text NOT NULL CONSTRAINT known_file_state
        CHECK (state IN ('settling', 'waiting', 'importing', 'imported', 'failed', 'unknown')),
    seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    run_id text,
    disposal text CONSTRAINT known_disposal CHECK (disposal IN ('kept', 'moved', 'deleted', 'gone')),
    moved_to text,
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz,
    error text,
    PRIMARY KEY (feed_id, key),
    CONSTRAINT started_has_a_run CHECK ((run_id IS NULL) = (state IN ('settling', 'waiting')))
)"""
UNDISPOSED = """
CREATE INDEX seen_files_undisposed ON seen_files (feed_id)
WHERE state IN ('imported', 'failed') AND disposal IS NULL"""
INDEXES = (
    "CREATE INDEX feeds_due ON feeds (least(next_at, tidy_at)) WHERE enabled",
    "CREATE INDEX seen_files_pages ON seen_files (feed_id, seen_at, key)",
    "CREATE INDEX seen_files_waiting ON seen_files (feed_id, modified) WHERE state = 'waiting'",
    "CREATE INDEX seen_files_importing ON seen_files (feed_id, run_id) WHERE state = 'importing'",
    UNDISPOSED,
    "CREATE INDEX seen_files_gone ON seen_files (gone_at) WHERE gone_at IS NOT NULL",
)

# Keys that have every scope that release 0.1 and exports and mappings brought get those that are new.
ALL = """'{imports:read,imports:write,imports:delete,records:read,types:read,types:write,mappings:read,mappings:write,
connections:read,connections:write,exports:read,exports:write}'::text[]"""
NEW = ("feeds:read", "feeds:write")
GRANT = f"""
UPDATE api_keys SET scopes = scopes || array(SELECT unnest('{{{",".join(NEW)}}}'::text[]) EXCEPT SELECT unnest(scopes))
WHERE scopes @> {ALL}"""
REVOKE = f"""
UPDATE api_keys SET scopes = array(SELECT unnest(scopes) EXCEPT SELECT unnest('{{{",".join(NEW)}}}'::text[]))
WHERE scopes && '{{{",".join(NEW)}}}'::text[]"""


def upgrade() -> None:
    op.execute(FEEDS)
    op.execute(SEEN_FILES)
    for index in INDEXES:
        op.execute(index)
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute("DROP TABLE seen_files")
    op.execute("DROP TABLE feeds")
