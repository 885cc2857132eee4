"""What an account has its runs do where their requests do not say it: the limits at which they are halted."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD COLUMN brakes jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts DROP COLUMN brakes")
