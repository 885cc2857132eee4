"""Quotas of what an account stores. Nothing is counted for an account without one."""

from app.quotas.quota import ensure_below
from app.storage.access import administered
from app.storage.counts.account import count_upto, sum_bytes
from app.storage.database import ReadSession


async def ensure_bytes(session: ReadSession, account_id: int, size: int = 0) -> None:
    """That a file of this size still has room. Raises Refused("quota_reached")."""
    own = await administered.get_quotas(session, account_id)
    if "stored_bytes" in own:
        used = await sum_bytes(session, account_id)
        ensure_below("stored_bytes", own, used + max(size - 1, 0))


async def ensure_record(session: ReadSession, account_id: int) -> None:
    """That the record that this transaction has created still has room. Raises Refused("quota_reached")."""
    own = await administered.get_quotas(session, account_id)
    if "records" in own:
        ensure_below("records", own, await count_upto(session, account_id, own["records"] + 1) - 1)


async def find_room(session: ReadSession, account_id: int) -> int | None:
    """How many more records the account may have; None: no quota. They are counted up to the quota: 300,000 that were
    just written take 0.3 to 0.4 s, a million that are vacuumed a quarter of a second."""
    limit = (await administered.get_quotas(session, account_id)).get("records")
    return None if limit is None else max(0, limit - await count_upto(session, account_id, limit))


async def is_over_quota(session: ReadSession, account_id: int) -> bool:
    """Whether the account has more records than its quota, with what this transaction has written."""
    limit = (await administered.get_quotas(session, account_id)).get("records")
    return limit is not None and await count_upto(session, account_id, limit + 1) > limit
