"""How many records of which type each account has, for the planner and for pages that tell about how many there are."""

from alembic import op

revision = "0028"
down_revision = "0027"

# Without it the planner takes account and type for independent. ANALYZE looks at these columns of a sample of rows.
CREATE = "CREATE STATISTICS IF NOT EXISTS records_by_type (mcv) ON account_id, type FROM records"


def upgrade() -> None:
    op.execute(CREATE)
    with op.get_context().autocommit_block():
        op.execute("ANALYZE records (account_id, type)")


def downgrade() -> None:
    op.execute("DROP STATISTICS IF EXISTS records_by_type")
