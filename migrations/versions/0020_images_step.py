"""The step of item syncs in which pictures are taken in."""

from alembic import op

revision = "0020"
down_revision = "0019"

OLD_STEP = "known_step CHECK (step IN ('fetch', 'write', 'apply', 'deliver', 'afterwards'))"
STEP = "known_step CHECK (step IN ('fetch', 'write', 'apply', 'images', 'deliver', 'afterwards'))"

SWAP = "ALTER TABLE runs DROP CONSTRAINT known_step, ADD CONSTRAINT {step} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_step"


def upgrade() -> None:
    swap(STEP)


def downgrade() -> None:
    # What such a run has written stays, and its pictures are taken in by the next one.
    op.execute("DELETE FROM runs WHERE step = 'images' AND finished_at IS NULL")
    op.execute("UPDATE runs SET step = 'fetch' WHERE step = 'images'")
    swap(OLD_STEP)


def swap(step: str) -> None:
    """Checks the rows that are there in a transaction of its own, see 0011."""
    op.execute(SWAP.format(step=step))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
