"""The step of item syncs in which the files that were read are moved or deleted at their server."""

from alembic import op

revision = "0018"
down_revision = "0017"

OLD_STEP = "known_step CHECK (step IN ('fetch', 'write', 'apply', 'deliver'))"
STEP = "known_step CHECK (step IN ('fetch', 'write', 'apply', 'deliver', 'afterwards'))"

END = """
UPDATE runs SET state = 'finished', finished_at = now(), lease_until = NULL, secret = NULL
WHERE step = 'afterwards' AND finished_at IS NULL"""

SWAP = "ALTER TABLE runs DROP CONSTRAINT known_step, ADD CONSTRAINT {step} NOT VALID"
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_step"


def upgrade() -> None:
    swap(STEP)


def downgrade() -> None:
    # All of such a run is written. Its files stay where they are.
    op.execute(END)
    op.execute("UPDATE runs SET step = 'write' WHERE step = 'afterwards'")
    swap(OLD_STEP)


def swap(step: str) -> None:
    """Checks the rows that are there in a transaction of its own, which locks out neither readers nor writers."""
    op.execute(SWAP.format(step=step))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
