"""Which failed rows of an import its retries and corrections have taken, so that no row is in two of them."""

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE taken_rows (run_id text PRIMARY KEY REFERENCES runs ON DELETE CASCADE, rows bytea NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE taken_rows")
