"""Lets each account do one expensive read at a time, so that the requests of others find the process awake."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from app.errors import Refused

# At a time. With two, polls of others took ten times as long on two cores, with one three times. Only half as many
# answers more were given.
OF_AN_ACCOUNT: Final = 1
PATIENCE: Final = 5.0  # seconds that a request waits for its turn
RETRY_SECONDS: Final = 5
# How long an account rests after a read, as a multiple of what the read took, while more of its own reads wait. So the
# processor belongs to others two thirds of the time, and half of their requests never meet one of these reads. Who
# reads page after page never rests.
REST: Final = 2.0
BUSY: Final = "Other large reads of this account are under way. Read one page after the other"


@dataclass(slots=True)
class Line:
    """Those of one account who read or wait for their turn."""

    turns: asyncio.Semaphore
    length: int = 0


class HeavyReads:
    """Turns at reads whose cost grows with what an account has stored. `in_all` bounds those of all accounts together,
    so that polls find a connection to the database. An account has at most OF_AN_ACCOUNT of them, whether it reads or
    waits, so that nobody has to wait behind many requests of another."""

    def __init__(self, in_all: int, *, patience: float = PATIENCE) -> None:
        self._turns = asyncio.Semaphore(in_all)
        self._lines: dict[int, Line] = {}
        self._patience = patience

    @asynccontextmanager
    async def turn(self, account_id: int, *, begun: bool = False) -> AsyncIterator[None]:
        """Raises Refused("too_many_reads") if it does not come in time. The next piece of an answer that has `begun`
        waits as long as it takes."""
        line = self._lines.setdefault(account_id, Line(asyncio.Semaphore(OF_AN_ACCOUNT)))
        line.length += 1
        try:
            await self._wait(line, None if begun else self._patience)
            began = time.monotonic()
            try:
                yield
            finally:
                self._turns.release()
                rest = (time.monotonic() - began) * REST if line.length > 1 else 0.0
                asyncio.get_running_loop().call_later(rest, line.turns.release)
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[account_id]

    async def _wait(self, line: Line, patience: float | None) -> None:
        try:
            async with asyncio.timeout(patience):
                await line.turns.acquire()
                try:
                    await self._turns.acquire()
                except BaseException:
                    line.turns.release()
                    raise
        except TimeoutError:
            raise Refused("too_many_reads", BUSY, retry_after=RETRY_SECONDS) from None
