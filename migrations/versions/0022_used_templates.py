"""When a mapping template was last used."""

from alembic import op

revision = "0022"
down_revision = "0021"

# As far as the runs that are kept can tell.
FILL = """
    UPDATE mappings SET last_used_at = used.at
    FROM (
        SELECT account_id, coalesce(options -> 'mapping' ->> 'id', options ->> 'mappingId') AS id, max(created_at) AS at
        FROM runs GROUP BY 1, 2
    ) AS used
    WHERE mappings.account_id = used.account_id AND mappings.id = used.id
"""


def upgrade() -> None:
    op.execute("ALTER TABLE mappings ADD COLUMN last_used_at timestamptz")
    with op.get_context().autocommit_block():
        op.execute(FILL)


def downgrade() -> None:
    op.execute("ALTER TABLE mappings DROP COLUMN last_used_at")
