"""Visits of feeds: who looks at which folder now, and what came of it.

A visit has a lease and a number (`round`), like a run its attempt: what a visit writes after its lease was over, and
another one has begun, does not count. Every statement is given the moment that counts as now.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import SUSPENDED
from app.storage.database import Session
from app.storage.feeds.declared import COLUMNS, NOW

# The feeds that have waited longest, few of one account: a server that is slow holds up nobody else's.
CLAIM_DUE = f"""
WITH due AS (
    SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY least(next_at, tidy_at), id) AS place,
        least(next_at, tidy_at) AS since
    FROM feeds WHERE enabled AND least(next_at, tidy_at) <= {NOW} AND (lease_until IS NULL OR lease_until <= {NOW})
        AND account_id <> ALL(:busy) AND account_id <> ALL({SUSPENDED})
), chosen AS (
    SELECT f.id FROM feeds f JOIN due ON due.id = f.id WHERE due.place <= :share
        AND (f.lease_until IS NULL OR f.lease_until <= {NOW})
    ORDER BY due.since, f.id LIMIT :most FOR NO KEY UPDATE OF f SKIP LOCKED
)
UPDATE feeds AS f SET round = round + 1, lease_until = {NOW} + make_interval(secs => :lease)
FROM chosen WHERE f.id = chosen.id AND (f.lease_until IS NULL OR f.lease_until <= {NOW})
RETURNING {COLUMNS}, f.next_at <= {NOW} AS is_due"""

CLAIM_ONE = f"""
UPDATE feeds AS f SET round = round + 1, lease_until = {NOW} + make_interval(secs => :lease)
WHERE f.account_id = :account_id AND f.id = :id RETURNING {COLUMNS}, true AS is_due"""

END_LOOK = f"""
UPDATE feeds SET state = :state, detail = :detail, failures = :failures, looked_at = {NOW},
    next_at = {NOW} + make_interval(secs => :wait)
WHERE id = :id AND round = :round"""

END_VISIT = f"""
UPDATE feeds f SET lease_until = NULL, tidy_at = (
    SELECT min(coalesce(try_at, {NOW})) FROM seen_files WHERE feed_id = f.id AND state IN ('imported', 'failed')
        AND disposal IS NULL)
WHERE id = :id AND round = :round"""


async def claim_due(
    session: Session, now: datetime, *, busy: Collection[int], share: int, most: int, lease: float
) -> Sequence[RowMapping]:
    """Begins visits of feeds that are due, at most `most`, and at most `share` of one account; none of accounts that
    are `busy` or suspended. `is_due`: the folder is to be looked at, and not only files to be moved."""
    values = {"now": now, "busy": list(busy), "share": share, "most": most, "lease": lease}
    return (await session.execute(text(CLAIM_DUE), values)).mappings().all()


async def claim_one(
    session: Session, account_id: int, feed_id: str, now: datetime, *, lease: float
) -> RowMapping | None:
    """Begins a visit of one feed, whatever it waits for. A visit that is under way does not count any more."""
    values = {"account_id": account_id, "id": feed_id, "now": now, "lease": lease}
    return (await session.execute(text(CLAIM_ONE), values)).mappings().one_or_none()


async def end_look(
    session: Session,
    visit: tuple[str, int],
    now: datetime,
    *,
    state: str,
    detail: str | None,
    failures: int,
    wait: float,
) -> bool:
    """Notes what came of a look, and that the next one is in `wait` seconds. False if the visit, a feed's id and its
    round, does not count any more."""
    values = {"id": visit[0], "round": visit[1], "now": now, "wait": wait}
    ended = await session.execute(text(END_LOOK), {**values, "state": state, "detail": detail, "failures": failures})
    return ended.rowcount == 1


async def end_visit(session: Session, visit: tuple[str, int], now: datetime) -> None:
    """Gives a feed back. It is due again when a file is to be moved or deleted, or at its next look."""
    await session.execute(text(END_VISIT), {"id": visit[0], "round": visit[1], "now": now})
