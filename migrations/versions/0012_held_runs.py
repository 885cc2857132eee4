"""Runs that wait for somebody to decide: halted or planned, then resumed or cancelled."""

from alembic import op

revision = "0012"
down_revision = "0011"

# `runs_state_check` is the name that PostgreSQL gave to the CHECK of the first migration.
CHECKS = {
    "runs_state_check": "state IN ('queued', 'running', 'halted', 'planned', 'finished', 'failed', 'cancelled')",
    "ended_has_a_time": "(state IN ('finished', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
    # What is planned may have one: the brake that it would meet.
    "failure_has_a_code": "state = 'planned' OR (state IN ('failed', 'halted', 'cancelled')) = (fail_code IS NOT NULL)",
    "held_has_a_time": "(state IN ('halted', 'planned')) = (held_at IS NOT NULL)",
}
OLD_CHECKS = {
    "runs_state_check": "state IN ('queued', 'running', 'finished', 'failed')",
    "ended_has_a_time": "(state IN ('finished', 'failed')) = (finished_at IS NOT NULL)",
    "failure_has_a_code": "(state = 'failed') = (fail_code IS NOT NULL)",
}

# Mails go out when a run has ended, and when it is held. Workers look every three seconds.
TELL = """CREATE INDEX CONCURRENTLY runs_untold ON runs (coalesce(finished_at, held_at))
WHERE notify IS NOT NULL AND notified_at IS NULL AND coalesce(finished_at, held_at) IS NOT NULL"""
NO_TELL = "DROP INDEX CONCURRENTLY IF EXISTS runs_untold"

# What was not finished has not been processed to its end, which is what `failed` says.
TO_FAILED = """UPDATE runs SET state = 'failed', fail_code = coalesce(fail_code, 'cancelled'),
    finished_at = coalesce(finished_at, now()) WHERE state IN ('halted', 'planned', 'cancelled')"""


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN IF NOT EXISTS held_at timestamptz")
    swap(CHECKS)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for older transactions, and nobody waits for it
        op.execute(NO_TELL)
        op.execute(TELL)


def downgrade() -> None:
    op.execute("ALTER TABLE runs DROP CONSTRAINT IF EXISTS held_has_a_time")
    op.execute(TO_FAILED)
    op.execute("ALTER TABLE runs DROP COLUMN IF EXISTS held_at")
    op.execute("DROP INDEX IF EXISTS runs_untold")
    swap(OLD_CHECKS)


def swap(checks: dict[str, str]) -> None:
    """Checks the rows that are there in a transaction of its own, which locks out neither readers nor writers. What
    comes before is committed by then: if the check fails or is interrupted, all of it is done once more."""
    drops = [f"DROP CONSTRAINT IF EXISTS {name}" for name in checks]
    adds = [f"ADD CONSTRAINT {name} CHECK ({check}) NOT VALID" for name, check in checks.items()]
    op.execute(f"ALTER TABLE runs {', '.join(drops + adds)}")
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE runs {', '.join(f'VALIDATE CONSTRAINT {name}' for name in checks)}")
