"""A run that waits for a decision keeps its credentials: an item sync moves its files once it has been resumed."""

from alembic import op

revision = "0027"
down_revision = "0026"

OLD_RULE = "ended_keeps_no_secret CHECK (secret IS NULL OR state IN ('queued', 'running'))"
RULE = "ended_keeps_no_secret CHECK (secret IS NULL OR finished_at IS NULL)"

SWAP = "ALTER TABLE runs DROP CONSTRAINT ended_keeps_no_secret, ADD CONSTRAINT {rule} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT ended_keeps_no_secret"


def upgrade() -> None:
    swap(RULE)


def downgrade() -> None:
    # Its files stay where they are, and the run says so.
    op.execute("UPDATE runs SET secret = NULL WHERE secret IS NOT NULL AND state NOT IN ('queued', 'running')")
    swap(OLD_RULE)


def swap(rule: str) -> None:
    """Checks the rows that are there in a transaction of its own, see 0011."""
    op.execute(SWAP.format(rule=rule))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
