"""Runs that people name and run again, and one list of all runs of an account."""

from alembic import op

revision = "0007"
down_revision = "0006"

# Built while runs go on. That waits for transactions which are older, and nobody waits for it meanwhile, so it has no
# limit of its own. An index that was being built when the migration was interrupted is there and not valid.
INDEXES = {
    "runs_accepted": "runs (account_id, created_at, id) WHERE pruned_at IS NULL",
    "runs_named": "runs (account_id, name, created_at, id) WHERE pruned_at IS NULL AND name IS NOT NULL",
}
SHORT_NAME = "ALTER TABLE runs ADD CONSTRAINT short_name CHECK (char_length(name) <= 200) NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT short_name"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, indexed in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {indexed}")
        op.execute("SET lock_timeout = '4s'")
        op.execute("ALTER TABLE runs DROP CONSTRAINT IF EXISTS short_name")
        op.execute(SHORT_NAME)
        op.execute(VALIDATE)  # by itself, because it reads the whole table, and runs go on meanwhile


def downgrade() -> None:
    op.execute("ALTER TABLE runs DROP CONSTRAINT short_name")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
