"""What the last tests of a connection have found."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("ALTER TABLE connections ADD COLUMN last_tests jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE connections DROP COLUMN last_tests")
