"""The list of an account's runs as people look for them, and where workers that had a run were lost."""

from alembic import op

revision = "0023"
down_revision = "0022"

# Answers filters by kind, state and words, and the counts of days, without a look at the rows, which are wide. It has
# no column that changes with every batch: PostgreSQL would then have to write all indexes anew for each. It begins as
# the index of 0007 does, and takes its place.
SHOWN = """CREATE INDEX CONCURRENTLY runs_shown ON runs (account_id, created_at, id)
INCLUDE (kind, state, type, name, file_name, created_by) WHERE pruned_at IS NULL"""
ACCEPTED = "CREATE INDEX CONCURRENTLY runs_accepted ON runs (account_id, created_at, id) WHERE pruned_at IS NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN IF NOT EXISTS interruptions jsonb")
    swap("runs_accepted", "runs_shown", SHOWN)


def downgrade() -> None:
    op.execute("ALTER TABLE runs DROP COLUMN IF EXISTS interruptions")
    swap("runs_shown", "runs_accepted", ACCEPTED)


def swap(old: str, new: str, create: str) -> None:
    """Built while runs go on, see 0007. The old index stays until there is the new one."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {new}")
        op.execute(create)
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}")
        op.execute("SET lock_timeout = '4s'")
