"""Strips old runs down to a tombstone, and deletes tombstones that are older still."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from app.storage.database import Session
from app.storage.runs import OPEN

STRIPPED: Final = 500  # runs of one transaction
FORGOTTEN: Final = 5_000

# Whose runs: those of accounts without a retention of their own, or of one account.
OF_OTHERS = "NOT EXISTS (SELECT FROM accounts a WHERE a.id = runs.account_id AND a.quotas ? 'retention_days')"
OF_ACCOUNT = "account_id = :account_id"
OWN_DAYS = "SELECT id, CAST(quotas ->> 'retention_days' AS integer) FROM accounts WHERE quotas ? 'retention_days'"
PRUNE = """
WITH old AS (SELECT id, blob FROM runs WHERE pruned_at IS NULL AND finished_at IS NOT NULL AND WHOSE
    AND finished_at < now() - make_interval(days => :days) AND (notify IS NULL OR notified_at IS NOT NULL
        OR finished_at < now() - make_interval(days => :days + 7))
    ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM batches b USING old WHERE b.run_id = old.id),
freed AS (DELETE FROM taken_rows t USING old WHERE t.run_id = old.id)
UPDATE runs r SET pruned_at = now(), blob = NULL, blob_digests = NULL, error_summary = '[]', warnings = '[]',
    report = NULL, interruptions = NULL, source = NULL, destinations = NULL, notify = NULL, plan = '{}',
    options = CASE WHEN r.options ->> 'deletes' = 'true' THEN CAST('{"deletes": true}' AS jsonb) ELSE '{}' END
FROM old WHERE r.id = old.id RETURNING old.blob"""

# What has replaced records, or deleted those that it names, is still asked for while an older import is open:
# app.storage.applying.closing.
FORGET = f"""
DELETE FROM runs WHERE id IN (
    SELECT id FROM runs r WHERE pruned_at IS NOT NULL AND finished_at < now() - make_interval(days => :days)
        AND (removed IS NULL AND options ->> 'deletes' IS DISTINCT FROM 'true' OR NOT EXISTS (
            SELECT FROM runs o WHERE o.account_id = r.account_id AND o.seq < r.seq AND o.{OPEN}))
    ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED)"""


async def prune(session: Session, days: int, *, limit: int = STRIPPED) -> Sequence[str | None]:
    """Strips runs that ended more than `days` ago, or more than their account's own days, down to a tombstone, and
    returns the blob that each had. A run whose mail has not been sent yet keeps its report until then, or for another
    week."""
    given = {"days": days, "limit": limit}
    pruned = list((await session.execute(text(PRUNE.replace("WHOSE", OF_OTHERS)), given)).scalars())
    for account_id, own_days in (await session.execute(text(OWN_DAYS))).all():
        own = {"days": own_days, "limit": limit, "account_id": account_id}
        pruned += (await session.execute(text(PRUNE.replace("WHOSE", OF_ACCOUNT)), own)).scalars()
    return pruned


async def forget(session: Session, days: int, *, limit: int = FORGOTTEN) -> int:
    """Deletes the tombstones of runs that ended more than `days` ago, and returns how many there were."""
    return (await session.execute(text(FORGET), {"days": days, "limit": limit})).rowcount
