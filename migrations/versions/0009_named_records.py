"""Records that others may refer to by a name: a product by its title, a tag by its slug."""

from alembic import op

revision = "0009"
down_revision = "0008"

# A column, and no index on an expression of `data`: with that no change of any record's data could stay on its page.
COLUMN = 'ALTER TABLE records ADD COLUMN IF NOT EXISTS name text COLLATE "C"'


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(COLUMN)
        # Built while imports go on, see 0007. No record has a name before this release.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS records_named")
        op.execute("CREATE INDEX CONCURRENTLY records_named ON records (account_id, type, name) WHERE name IS NOT NULL")
        op.execute("SET lock_timeout = '4s'")


def downgrade() -> None:
    op.execute("DROP INDEX records_named")
    op.execute("ALTER TABLE records DROP COLUMN name")
