"""Destinations of exports, and the step in which files are delivered to them."""

from alembic import op

revision = "0011"
down_revision = "0010"

OLD_STEP = "known_step CHECK (step IN ('fetch', 'write'))"
STEP = "known_step CHECK (step IN ('fetch', 'write', 'deliver'))"

SWAP = "ALTER TABLE runs DROP CONSTRAINT known_step, ADD CONSTRAINT {step} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_step"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN IF NOT EXISTS destinations jsonb")
    swap(STEP)


def downgrade() -> None:
    # An export whose file is complete ends as what it is; its destinations are forgotten.
    op.execute("DELETE FROM runs WHERE step = 'deliver' AND finished_at IS NULL")
    op.execute("UPDATE runs SET step = 'write' WHERE step = 'deliver'")
    op.execute("ALTER TABLE runs DROP COLUMN IF EXISTS destinations")
    swap(OLD_STEP)


def swap(step: str) -> None:
    """Checks the rows that are there in a transaction of its own, which locks out neither readers nor writers. What
    comes before is committed by then: if the check fails or is interrupted, all of it is done once more."""
    op.execute(SWAP.format(step=step))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
