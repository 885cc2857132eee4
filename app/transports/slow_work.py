"""Work that a caller can make slow: in a thread of its own, and one piece of an account at a time.

In the threads that everybody shares, a few keys that take seconds to decrypt would hold up every upload.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class AccountTurns:
    """So many things at a time for each account."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, account_id: int) -> asyncio.Semaphore:
        return self._turns.setdefault(account_id, asyncio.Semaphore(self._most))


class SlowWork:
    """One thread. The accounts that wait for it take turns, because each may put only one piece in the line."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "slow-work")
        self._turns = AccountTurns(1)

    async def do(self, account_id: int, work: Callable[[], T]) -> T:
        """The result of `work`, which must be bounded: once begun it runs to its end, even if nobody waits any more."""
        async with self._turns.of(account_id):
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
