"""People who sign in to the dashboard, with accounts, sessions and links; and what keys tell about themselves."""

from alembic import op

revision = "0025"
down_revision = "0024"

PEOPLE = """
CREATE TABLE people (
    id text PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (char_length(email) <= 320 AND email = lower(email)),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    password text,
    theme text NOT NULL DEFAULT 'system' CONSTRAINT known_theme CHECK (theme IN ('system', 'light', 'dark')),
    created_at timestamptz NOT NULL,
    signed_in_at timestamptz
)"""
# Somebody is a member from the moment on at which they have taken the invitation.
MEMBERSHIPS = """
CREATE TABLE memberships (
    person_id text NOT NULL REFERENCES people ON DELETE CASCADE,
    account_id integer NOT NULL REFERENCES accounts,
    role text NOT NULL CONSTRAINT known_role CHECK (role IN ('viewer', 'operator', 'admin')),
    created_by text,
    created_at timestamptz NOT NULL,
    joined_at timestamptz,
    PRIMARY KEY (person_id, account_id)
)"""
# One for each person and account. Without an account it is the operator's, who may reset every password.
LINKS = """
CREATE TABLE person_links (
    hash bytea PRIMARY KEY,
    person_id text NOT NULL REFERENCES people ON DELETE CASCADE,
    account_id integer REFERENCES accounts,
    resets boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (person_id, account_id)
)"""
# `confirmed_at`: when the password was typed last.
SESSIONS = """
CREATE TABLE sessions (
    hash bytea PRIMARY KEY,
    id text NOT NULL UNIQUE,
    person_id text REFERENCES people ON DELETE CASCADE,
    key_id text REFERENCES api_keys,
    account_id integer NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT of_a_person_or_a_key CHECK ((person_id IS NULL) <> (key_id IS NULL))
)"""
INDEXES = (
    "CREATE INDEX memberships_accounts ON memberships (account_id)",
    "CREATE INDEX sessions_people ON sessions (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX sessions_keys ON sessions (key_id) WHERE key_id IS NOT NULL",
    "CREATE INDEX sessions_expiry ON sessions (expires_at)",
)
# Without a default, so that no row is written anew.
KEYS = """
ALTER TABLE api_keys ADD COLUMN created_by text, ADD COLUMN last_used_at timestamptz,
    ADD COLUMN expires_at timestamptz"""
KEYS_BEFORE = """
ALTER TABLE api_keys DROP COLUMN created_by, DROP COLUMN last_used_at, DROP COLUMN expires_at"""
# Before, keys had no expiry: one that is to end must not live for ever.
END_EXPIRING = "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND expires_at IS NOT NULL"


def upgrade() -> None:
    for statement in (PEOPLE, MEMBERSHIPS, LINKS, SESSIONS, *INDEXES, KEYS):
        op.execute(statement)


def downgrade() -> None:
    op.execute(END_EXPIRING)
    op.execute(KEYS_BEFORE)
    for table in ("sessions", "person_links", "memberships", "people"):
        op.execute(f"DROP TABLE {table}")
