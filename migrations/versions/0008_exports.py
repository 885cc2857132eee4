"""Exports: runs that write a file and no records."""

from alembic import op

revision = "0008"
down_revision = "0007"

OLD_KIND = "known_kind CHECK (kind IN ('import'))"
OLD_FINISHED = """finished_means_all CHECK
    (state <> 'finished' OR created + updated + unchanged + skipped + failed = total)"""

# A finished export has written all records of its snapshot: `at_row` counts them, and no row has an outcome.
KIND = "known_kind CHECK (kind IN ('import', 'export'))"
FINISHED = """finished_means_all CHECK (state <> 'finished' OR kind = 'export' AND at_row = total
    OR kind <> 'export' AND created + updated + unchanged + skipped + failed = total)"""

SWAP = """
ALTER TABLE runs
    DROP CONSTRAINT known_kind, ADD CONSTRAINT {kind} NOT VALID,
    DROP CONSTRAINT finished_means_all, ADD CONSTRAINT {finished} NOT VALID"""
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_kind, VALIDATE CONSTRAINT finished_means_all"


def upgrade() -> None:
    swap(KIND, FINISHED)


def downgrade() -> None:
    op.execute("DELETE FROM runs WHERE kind = 'export'")
    swap(OLD_KIND, OLD_FINISHED)


def swap(kind: str, finished: str) -> None:
    """Checks the rows that are there in a transaction of its own, which locks out neither readers nor writers."""
    op.execute(SWAP.format(kind=kind, finished=finished))
    with op.get_context().autocommit_block():
        op.execute(VALIDATE)
