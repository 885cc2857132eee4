"""How the fetches of one worker process are shared out among accounts, whose servers may be as slow as they like."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

FEWEST_SECONDS = 10.0  # an account that has not asked again for so long does not wait any more


class FetchSlots:
    """At most `most` fetches at a time, and of one account half of them, at least one.

    When no slot is free, accounts wait in the order in which they were turned away, and are served in that order. An
    account goes to the end with its next file. Nothing is kept of this beyond the process: several workers share out
    their own slots, and who waits asks again within `asks_every` seconds, because the sweeper enqueues its run.
    """

    def __init__(self, most: int, *, asks_every: float) -> None:
        self.most = most
        self.share = max(1, most // 2)
        self._patience = max(FEWEST_SECONDS, 3 * asks_every)
        self._taken: Counter[int] = Counter()
        self._waiting: dict[int, float] = {}  # account -> when it last asked; the order is that of the first time

    @contextmanager
    def slot(self, account_id: int) -> Iterator[bool]:
        """Whether there is a slot for a fetch of this account, for as long as the block runs."""
        given = self._give(account_id)
        try:
            yield given
        finally:
            self._taken.subtract([account_id] if given else [])
            self._taken = +self._taken

    def _give(self, account_id: int) -> bool:
        if self._taken[account_id] >= self.share:
            return False
        now = time.monotonic()
        self._waiting = {each: asked for each, asked in self._waiting.items() if now - asked < self._patience}
        if self._count_ahead(account_id) >= self.most - self._taken.total():
            self._waiting[account_id] = now
            return False
        self._waiting.pop(account_id, None)
        self._taken[account_id] += 1
        return True

    def _count_ahead(self, account_id: int) -> int:
        """How many of the accounts that wait come before this one, and may have a slot."""
        waiting = list(self._waiting)
        before = waiting[: waiting.index(account_id)] if account_id in self._waiting else waiting
        return sum(self._taken[each] < self.share for each in before)
