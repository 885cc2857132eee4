"""An index by which the runs of a stored connection are found."""

from alembic import op

revision = "0035"
down_revision = "0034"

# In the order of `runs_shown`, which looked at every row of the account for them. Built while runs go on, see 0007.
OF_CONNECTION = """
CREATE INDEX CONCURRENTLY runs_of_connection ON runs (account_id, (source ->> 'connection_id'), created_at, id)
WHERE pruned_at IS NULL AND source ->> 'connection_id' IS NOT NULL"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS runs_of_connection")  # what an attempt that was cut off has left
        op.execute(OF_CONNECTION)
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS runs_of_connection")
