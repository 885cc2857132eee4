"""The trace that a run belongs to: that of the request which it came from."""

from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN traceparent text")


def downgrade() -> None:
    op.execute("ALTER TABLE runs DROP COLUMN traceparent")
