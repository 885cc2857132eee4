"""Indexes by which kept runs are found among many tombstones, and tombstones that are old enough to be deleted."""

from alembic import op

revision = "0039"
down_revision = "0038"

# Lists in the order of `seq` read what is kept, however many tombstones there are. Neither index has a column that
# changes with a batch, see 0023. Built while runs go on, see 0007.
INDEXES = {
    "runs_kept": "runs (account_id, seq) WHERE pruned_at IS NULL",
    "runs_tombstones": "runs (finished_at) WHERE pruned_at IS NOT NULL",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, of in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what an attempt that was cut off has left
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {of}")
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
