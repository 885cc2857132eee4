"""How many requests a key may make in a time, counted in Redis for all API processes together."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from limits import parse_many
from limits.aio.storage import RedisStorage
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.observe import Observer
from app.observe.events import RateLimitUnavailable

PREFIX: Final = "sluice:rate"
OFF: Final = ("off", "0")
LONGEST_SECONDS: Final = 31 * 86_400
ANSWER_SECONDS: Final = 0.25  # of a server that is slow or frozen a request feels so much, once
TURNS: Final = 50  # a new connection takes 16 of them, the first one of all 24
PAUSE_SECONDS: Final = 5.0  # between two tries to reach a server that was gone


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate limit; `reset_at` is in unix seconds. `retry_after` is set when nothing was left for the
    request: whole seconds, after which there is."""

    limit: int
    remaining: int
    reset_at: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


def parse_rate_limit(text: str) -> RateLimit | None:
    """`300/minute`, `20 per 5 seconds`; None for `off`. Raises ValueError."""
    if text.strip().lower() in OFF:
        return None
    rates = [RateLimit(each.amount, each.get_expiry()) for each in parse_many(text)]
    if len(rates) != 1 or rates[0].requests < 1 or rates[0].seconds > LONGEST_SECONDS:
        raise ValueError("a rate limit is one number above 0 in one time of at most 31 days")
    return rates[0]


class OnRedis(RedisStorage):
    """Loads redis-py alone: the library loads every client it knows, and `valkey`, if it is there, is 8 MB."""

    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012  the library's own form


class RequestCounter:
    """Numbers the requests of each window. Those that come while Redis is asked go together into the next question: a
    flood takes one connection, and redis-py's pool, which opens connections one after the other, does not delay it."""

    def __init__(self, connections: ConnectionPool, patience: float = ANSWER_SECONDS) -> None:
        self._patience = patience
        self._storage = OnRedis(
            "async+redis://",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=connections,  # type: ignore[arg-type]  # documented, but not in the annotation
        )
        self._waiting: dict[str, list[asyncio.Future[int]]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def number(self, key: str, seconds: int) -> int:
        """1 for the first request, which also begins the seconds after which the key is forgotten. Raises RedisError,
        OSError."""
        mine: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append(mine)
        else:
            self._waiting[key] = [mine]
            asking = asyncio.create_task(self._ask(key, seconds))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        return await mine

    async def _ask(self, key: str, seconds: int) -> None:
        """Until nobody waits for the key any more."""
        asked: list[asyncio.Future[int]] = []
        try:
            while asked := self._waiting[key]:
                self._waiting[key] = []
                last = await answered(self._storage.incr(key, seconds, len(asked)), self._patience)
                tell(asked, range(last - len(asked) + 1, last + 1))
        except Exception as trouble:  # noqa: BLE001  whatever it is, those who wait have to hear of it
            refuse([*asked, *self._waiting[key]], trouble)
        finally:
            del self._waiting[key]


def tell(waiting: Sequence[asyncio.Future[int]], numbers: Sequence[int]) -> None:
    for each, number in zip(waiting, numbers, strict=True):
        if not each.done():  # else its client is gone
            each.set_result(number)


def refuse(waiting: Sequence[asyncio.Future[int]], trouble: Exception) -> None:
    for each in waiting:
        if not each.done():
            each.set_exception(trouble)


async def answered(call: Awaitable[int], patience: float) -> int:
    """Raises TimeoutError."""
    async with asyncio.timeout(None) as bound:
        timer = asyncio.get_running_loop().call_later(patience, end, bound, TURNS)
        try:
            return await call
        finally:
            timer.cancel()


def end(bound: asyncio.Timeout, turns: int) -> None:
    """Ends a wait when the loop has turned some times more. In a flood a turn may take longer than Redis is given, and
    its answers have come long before they are read: the limit must not be lost just then."""
    if turns:
        asyncio.get_running_loop().call_soon(end, bound, turns - 1)
        return
    with suppress(RuntimeError):  # the answer has been read meanwhile
        bound.reschedule(0)


@dataclass(slots=True)
class Throttle:
    """Counts in windows of the clock: they are exact, know when they end, and take one round trip, 90 µs of the 1.3 ms
    of a poll, 10 µs when a key's polls come together. The library's sliding window takes two, and only estimates when
    it ends. Where two windows meet, twice the limit may pass.

    When Redis does not answer everybody passes: a limit that cannot be counted must not stop imports.
    """

    rate: RateLimit | None
    counters: RequestCounter
    observe: Observer
    pause: float = PAUSE_SECONDS
    _lost: bool = field(default=False, init=False)
    _again_at: float = field(default=0.0, init=False)  # on the monotonic clock

    def full(self) -> Allowance | None:
        """What somebody has left who has made no request; None: there is no limit."""
        return None if self.rate is None else Allowance(self.rate.requests, self.rate.requests, int(time.time()))

    async def take(self, who: str) -> Allowance | None:
        """Counts a request of whoever it is, and tells what is left; None: there is no limit."""
        if self.rate is None:
            return None
        limit, seconds = self.rate.requests, self.rate.seconds
        window = int(time.time()) // seconds
        count = await self._counted(f"{seconds}:{window}:{who}", seconds)
        if count is None:
            return self.full()
        ends = (window + 1) * seconds
        over = max(1, ceil(ends - time.time())) if count > limit else None
        return Allowance(limit, max(0, limit - count), ends, over)

    async def _counted(self, key: str, seconds: int) -> int | None:
        """How many there were with this one; None when Redis does not answer, which is said once."""
        now = time.monotonic()
        if now < self._again_at:
            return None
        if self._lost:
            self._again_at = now + self.pause  # this request tries, those after it need not wait with it
        try:
            count = await self.counters.number(key, seconds)
        except (RedisError, OSError) as trouble:  # a TimeoutError is an OSError
            self._lose(trouble)
            return None
        self._lost, self._again_at = False, 0.0
        return count

    def _lose(self, trouble: Exception) -> None:
        self._again_at = time.monotonic() + self.pause
        if not self._lost:
            self.observe(RateLimitUnavailable(type(trouble).__name__))
        self._lost = True
