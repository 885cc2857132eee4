"""What became of each row of a batch, where the counts of the batch do not tell: a letter for a row, compressed."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("ALTER TABLE batches ADD COLUMN IF NOT EXISTS outcomes bytea")


def downgrade() -> None:
    op.execute("ALTER TABLE batches DROP COLUMN IF EXISTS outcomes")
