"""Runs that import failed rows of another again, with their values corrected."""

from alembic import op

revision = "0032"
down_revision = "0031"

OLD = "'retry', 'rerun', 'undo', 'sync', 'schedule'"
# Rows that the narrower constraint let in satisfy the wider one: nobody waits while they are looked at.
CHANGE = """
ALTER TABLE runs DROP CONSTRAINT known_relation,
    ADD CONSTRAINT known_relation CHECK (relation IN ({})) NOT VALID"""
VALIDATE = "ALTER TABLE runs VALIDATE CONSTRAINT known_relation"


def allow(relations: str) -> None:
    with op.get_context().autocommit_block():
        op.execute(CHANGE.format(relations))
        op.execute(VALIDATE)


def upgrade() -> None:
    allow(f"{OLD}, 'correction'")


def downgrade() -> None:
    op.execute("UPDATE runs SET relation = 'retry' WHERE relation = 'correction'")
    allow(OLD)
