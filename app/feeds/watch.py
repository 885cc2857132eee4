"""Watches the feeds of all accounts: begins visits as they come due, several at a time."""

import asyncio
from collections import Counter
from typing import Final

from app.feeds.feed import feed_from
from app.feeds.start import note_ends, start_imports
from app.feeds.visit import LEASE_SECONDS, Visit, visit_folder
from app.observe.events import HousekeepingFailed
from app.observe.logs import error_kind
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.feeds import files, visits

MOST_VISITS: Final = 8  # of one worker at a time
SHARE: Final = 2  # of them, for the feeds of one account: a slow server holds up nobody else's


class FeedWatch:
    """The visits of one worker that are under way."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._under_way: Counter[int] = Counter()

    async def begin_visits(self, group: asyncio.TaskGroup) -> int:
        """Begins visits that are due, as tasks of the group, and returns how many. Raises Retryable."""
        busy = [account_id for account_id, number in self._under_way.items() if number >= SHARE]
        most = MOST_VISITS - self._under_way.total()
        if most <= 0:
            return 0
        async with self._runtime.database.transaction() as session:
            now = await self._runtime.now(session)
            rows = await visits.claim_due(session, now, busy=busy, share=SHARE, most=most, lease=LEASE_SECONDS)
        for row in rows:
            self._under_way[row["account_id"]] += 1
            group.create_task(self._make_visit(Visit(feed_from(row), now, row["is_due"])))
        return len(rows)

    async def _make_visit(self, visit: Visit) -> None:
        try:
            await visit_folder(self._runtime, visit)
        except Exception as error:  # noqa: BLE001  whatever it is, the other visits go on
            self._runtime.observe(HousekeepingFailed("feeds", error_kind(error)))
        finally:
            self._under_way[visit.feed.account_id] -= 1
            self._under_way = +self._under_way


async def check_now(runtime: Runtime, account_id: AccountId, feed_id: str) -> None:
    """Looks at the folder of a feed now, for a caller who waits. Raises Retryable."""
    async with runtime.database.transaction() as session:
        now = await runtime.now(session)
        row = await visits.claim_one(session, account_id, feed_id, now, lease=LEASE_SECONDS)
    if row is not None:
        await visit_folder(runtime, Visit(feed_from(row), now, waited_for=True))


async def go_on(runtime: Runtime) -> None:
    """Notes which imports have ended, and starts those of files that wait. Raises Retryable."""
    async with runtime.database.read() as session:
        now = await runtime.now(session)
    await note_ends(runtime, now)
    await start_imports(runtime, now)


async def forget_old_files(runtime: Runtime) -> None:
    """Forgets files that left their folder before the retention of runs. Raises Retryable."""
    async with runtime.database.transaction() as session:
        await files.forget_old(session, runtime.settings.retention_days)
