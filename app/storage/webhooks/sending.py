"""Who sends a message to a webhook: claims with a lease and a fence, fair among receivers.

`tries` is the fence: it rises with each claim, and what a worker notes carries the number that it was given.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text

from app.storage.database import Session

# Claims are made one after the other: each counts what those before it have claimed.
IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('sluice: webhooks'))"

DUE = """d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= :now AND (w.enabled OR d.event = ANY(:by_hand))"""

# A receiver that could not be reached is tried with one message at a time. Of all others the one that is sent the
# fewest comes first, so however slow some are, a place that becomes free goes to another.
TAKE = f"""
WITH busy AS (
    SELECT webhook_id, count(*) AS messages FROM webhook_deliveries
    WHERE state = 'pending' AND lease_until > :now GROUP BY webhook_id),
ready AS (
    SELECT w.id, w.enabled, coalesce(busy.messages, 0) AS messages,
        CASE WHEN w.troubles > 0 THEN 1 ELSE CAST(:of_one AS integer) END - coalesce(busy.messages, 0) AS room
    FROM webhooks w LEFT JOIN busy ON busy.webhook_id = w.id
    WHERE (w.resting_until IS NULL OR w.resting_until <= :now)
        AND EXISTS (SELECT FROM webhook_deliveries d WHERE {DUE})),
chosen AS (
    SELECT due.id FROM ready w CROSS JOIN LATERAL (
        SELECT d.id, d.due_at, row_number() OVER (ORDER BY d.due_at, d.id) AS place FROM webhook_deliveries d
        WHERE {DUE} ORDER BY d.due_at, d.id LIMIT greatest(w.room, 0)) due
    ORDER BY w.messages + due.place, due.due_at LIMIT :limit)
UPDATE webhook_deliveries d SET tries = tries + 1, step = step + 1, tried_at = :now,
    lease_until = CAST(:now AS timestamptz) + make_interval(secs => :lease),
    due_at = CAST(:now AS timestamptz) + make_interval(secs => :lease)
FROM webhooks w WHERE d.id IN (SELECT id FROM chosen) AND w.id = d.webhook_id AND d.state = 'pending'
RETURNING d.*, w.url, w.secret, (SELECT traceparent FROM runs WHERE id = d.run_id) AS traceparent"""

DELIVERED = """
WITH sent AS (
    UPDATE webhook_deliveries SET state = 'delivered', ended_at = :now, lease_until = NULL, last_status = :status,
        last_reason = NULL
    WHERE id = :id AND tries = :tries AND state = 'pending' RETURNING webhook_id)
UPDATE webhooks SET troubles = 0, resting_until = NULL
WHERE id IN (SELECT webhook_id FROM sent) AND (troubles > 0 OR resting_until IS NOT NULL)"""

# `wait` is null where there is no further try.
FAILED = """
UPDATE webhook_deliveries SET lease_until = NULL, last_status = :status, last_reason = :reason,
    due_at = CAST(:now AS timestamptz) + make_interval(secs => coalesce(CAST(:wait AS float), 0)),
    state = CASE WHEN CAST(:wait AS float) IS NULL THEN 'failed' ELSE 'pending' END,
    ended_at = CASE WHEN CAST(:wait AS float) IS NULL THEN CAST(:now AS timestamptz) END
WHERE id = :id AND tries = :tries AND state = 'pending'"""

# The messages that were under way when a receiver went away all fail, and that is one trouble.
REST = """
UPDATE webhooks SET troubles = troubles + 1, resting_until = CAST(:now AS timestamptz) + make_interval(
    secs => greatest(CAST(:least AS float), least(:first * power(:factor, least(troubles, 10)), :longest)))
WHERE id = :id AND (resting_until IS NULL OR resting_until <= :now)"""

DISABLE = "UPDATE webhooks SET enabled = false, disabled_code = :code, updated_at = now() WHERE id = :id AND enabled"

PUT_BACK = """
UPDATE webhook_deliveries SET lease_until = NULL, step = step - 1,
    due_at = CAST(:now AS timestamptz) + make_interval(secs => :wait)
WHERE id = :id AND tries = :tries AND state = 'pending'"""

GIVE_UP_OLD = """
UPDATE webhook_deliveries SET state = 'failed', ended_at = :now, lease_until = NULL, last_reason = :reason
WHERE id IN (
    SELECT id FROM webhook_deliveries
    WHERE state = 'pending' AND begun_at < CAST(:now AS timestamptz) - make_interval(secs => :seconds)
        AND (lease_until IS NULL OR lease_until <= :now)
    LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id, account_id, webhook_id, event, tries"""


async def take(
    session: Session, now: datetime, *, by_hand: Sequence[str], of_one: int, lease: float, limit: int
) -> Sequence[RowMapping]:
    """At most `limit` messages that are due, reserved for `lease` seconds, each with the `url` and the sealed `secret`
    of its webhook, and the `traceparent` of its run. Of one webhook at most `of_one` are under way; a disabled one gets
    only the events `by_hand`."""
    await session.execute(text(IN_TURN))
    given = {"now": now, "by_hand": list(by_hand), "of_one": of_one, "lease": lease, "limit": limit}
    return (await session.execute(text(TAKE), given)).mappings().all()


async def mark_delivered(session: Session, delivery_id: str, tries: int, *, now: datetime, status: int) -> None:
    """Notes that a receiver has taken a message, which ends its rests."""
    await session.execute(text(DELIVERED), {"id": delivery_id, "tries": tries, "now": now, "status": status})


async def mark_failed(
    session: Session,
    delivery_id: str,
    tries: int,
    *,
    now: datetime,
    status: int | None,
    reason: str,
    wait: float | None,
) -> bool:
    """Notes that a try has failed. The next follows after `wait` seconds; None: there is none. False if another worker
    has the message by now."""
    given = {"id": delivery_id, "tries": tries, "now": now, "status": status, "reason": reason, "wait": wait}
    return bool((await session.execute(text(FAILED), given)).rowcount)


async def rest(
    session: Session, webhook_id: str, *, now: datetime, least: float, first: float, factor: float, longest: float
) -> None:
    """Sends nothing to a receiver for `first` seconds after its first trouble in a row, and `factor` times as long
    after each other, up to `longest`; but for no less than `least`."""
    given = {"id": webhook_id, "now": now, "least": least, "first": first, "factor": factor, "longest": longest}
    await session.execute(text(REST), given)


async def disable(session: Session, webhook_id: str, *, code: str) -> None:
    await session.execute(text(DISABLE), {"id": webhook_id, "code": code})


async def put_back(session: Session, delivery_id: str, tries: int, *, now: datetime, wait: float) -> None:
    """Lets a message wait that this machine could not send: that was no try."""
    await session.execute(text(PUT_BACK), {"id": delivery_id, "tries": tries, "now": now, "wait": wait})


async def give_up_old(
    session: Session, now: datetime, *, reason: str, seconds: float, limit: int
) -> Sequence[RowMapping]:
    """Ends messages that have waited for so long, and returns the `id`, `account_id`, `webhook_id`, `event` and `tries`
    of each."""
    given = {"now": now, "reason": reason, "seconds": seconds, "limit": limit}
    return (await session.execute(text(GIVE_UP_OLD), given)).mappings().all()
