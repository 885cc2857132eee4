"""Limits how many requests a key may make in a period. They are counted in Redis for all API processes together."""

import asyncio
import re
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from app.errors import Retryable
from app.observe import Observer
from app.observe.events import RateLimitUnavailable

PREFIX: Final = "sluice:rate"
OFF: Final = ("off", "0")
PERIODS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 30 * 86_400}  # in seconds
_match_rate = re.compile(r"\s*([0-9]+)\s*(?:/|per)\s*([0-9]*)\s*([a-z]+?)s?\s*", re.IGNORECASE).fullmatch
# Counts in the window of KEYS[1], which Redis forgets ARGV[1] seconds after the first request; ARGV[2] more requests.
COUNT: Final = """
local number = redis.call("INCRBY", KEYS[1], ARGV[2])
if number == tonumber(ARGV[2]) then redis.call("EXPIRE", KEYS[1], ARGV[1]) end
return number
"""
LONGEST_SECONDS: Final = 31 * 86_400
ANSWER_SECONDS: Final = 0.25  # how long a request waits for a server that is slow or frozen, once
GRACE_TURNS: Final = 50  # turns of the event loop: a new connection takes 16 of them, the very first one 24
PAUSE_SECONDS: Final = 5.0  # between two attempts to reach a server that was gone


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate limit. `reset_at` is in Unix seconds. `retry_after` is set if nothing was left for the
    request: the whole seconds until there is something left."""

    limit: int
    remaining: int
    reset_at: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests are allowed in so many seconds."""

    requests: int
    seconds: int


def parse_rate_limit(text: str) -> RateLimit | None:
    """Reads `300/minute` or `20 per 5 seconds`; `off` gives None. Raises ValueError."""
    if text.strip().lower() in OFF:
        return None
    if found := _match_rate(text):
        requests, multiple, period = found.groups()
        rate = RateLimit(int(requests), PERIODS.get(period.lower(), 0) * int(multiple or 1))
        if rate.requests and 0 < rate.seconds <= LONGEST_SECONDS:
            return rate
    raise ValueError("a rate limit is one number above 0, in one period of at most 31 days")


class CannotCount(Retryable):
    """Requests that have to be counted cannot be counted at the moment."""

    part = "queue"


def window_key(rate: RateLimit, who: str) -> str:
    return f"{rate.seconds}:{int(time.time()) // rate.seconds}:{who}"


def allow(rate: RateLimit, count: int) -> Allowance:
    """What is left after the request with this number in the window that lasts now."""
    reset_at = (int(time.time()) // rate.seconds + 1) * rate.seconds
    retry_after = max(1, ceil(reset_at - time.time())) if count > rate.requests else None
    return Allowance(rate.requests, max(0, rate.requests - count), reset_at, retry_after)


class RequestCounter:
    """Numbers the requests of each window. Requests that arrive while Redis is being asked share the next command. So a
    flood needs one connection only, and is not delayed by redis-py's pool, which opens connections one by one."""

    def __init__(self, connections: ConnectionPool, patience: float = ANSWER_SECONDS) -> None:
        self._patience = patience  # seconds to wait for Redis
        self._count = Redis(connection_pool=connections).register_script(COUNT)
        self._waiting: dict[str, list[asyncio.Future[int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def number(self, key: str, seconds: int) -> int:
        """The number of this request: 1 for the first one with the key, which Redis forgets after so many seconds.
        Raises RedisError, OSError."""
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append(number)
        else:
            self._waiting[key] = [number]
            task = asyncio.create_task(self._count_waiting(key, seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await number

    async def _count_waiting(self, key: str, seconds: int) -> None:
        """Asks Redis again and again, until nobody waits for the key any more."""
        requests: list[asyncio.Future[int]] = []
        try:
            while requests := self._waiting[key]:
                self._waiting[key] = []
                counted = self._count(keys=[f"{PREFIX}:{key}"], args=[seconds, len(requests)])
                last = await wait_patiently(counted, self._patience)
                set_numbers(requests, range(last - len(requests) + 1, last + 1))
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must be told
            set_exception([*requests, *self._waiting[key]], error)
        finally:
            del self._waiting[key]


def set_numbers(requests: Sequence[asyncio.Future[int]], numbers: Sequence[int]) -> None:
    for request, number in zip(requests, numbers, strict=True):
        if not request.done():  # else its client is gone
            request.set_result(number)


def set_exception(requests: Sequence[asyncio.Future[int]], error: Exception) -> None:
    for request in requests:
        if not request.done():
            request.set_exception(error)


async def wait_patiently(call: Awaitable[int], patience: float) -> int:
    """The result of the call. Raises TimeoutError if it takes longer than `patience` seconds and GRACE_TURNS turns."""
    async with asyncio.timeout(None) as timeout:
        timer = asyncio.get_running_loop().call_later(patience, expire_after, timeout, GRACE_TURNS)
        try:
            return await call
        finally:
            timer.cancel()


def expire_after(timeout: asyncio.Timeout, turns: int) -> None:
    """Lets a timeout expire after some more turns of the event loop. In a flood one turn may take longer than Redis may
    take, and its answers arrive long before they are read: the limit must not be lost just then."""
    if turns:
        asyncio.get_running_loop().call_soon(expire_after, timeout, turns - 1)
        return
    with suppress(RuntimeError):  # the answer has been read in the meantime
        timeout.reschedule(0)


@dataclass(slots=True)
class Throttle:
    """Limits requests in fixed windows of the clock. They are exact, it is known when they end, and they take one round
    trip: 90 µs of the 1.3 ms of a poll, or 10 µs when a key's polls arrive together. A sliding window takes two round
    trips and only estimates its end. Where two fixed windows meet, twice the limit may pass.

    While Redis does not answer, every request passes: a limit that cannot be counted must not stop imports.
    """

    rate: RateLimit | None
    counters: RequestCounter
    observe: Observer
    pause: float = PAUSE_SECONDS
    _unavailable: bool = field(default=False, init=False)
    _retry_at: float = field(default=0.0, init=False)  # on the monotonic clock

    def full(self) -> Allowance | None:
        """What is left for somebody who has made no request. None: there is no limit."""
        return None if self.rate is None else Allowance(self.rate.requests, self.rate.requests, int(time.time()))

    async def take(self, who: str) -> Allowance | None:
        """Counts a request of `who`, and returns what is left. None: there is no limit."""
        if self.rate is None:
            return None
        count = await self._count(window_key(self.rate, who), self.rate.seconds)
        return self.full() if count is None else allow(self.rate, count)

    async def take_strictly(self, who: str, rate: RateLimit) -> Allowance:
        """Counts against a limit of its own, for tries of passwords. Raises CannotCount."""
        count = await self._count(window_key(rate, who), rate.seconds)
        if count is None:
            raise CannotCount("Redis does not answer")
        return allow(rate, count)

    async def _count(self, key: str, seconds: int) -> int | None:
        """The number of this request. None if Redis does not answer, which is logged once."""
        now = time.monotonic()
        if now < self._retry_at:
            return None
        if self._unavailable:
            self._retry_at = now + self.pause  # this request tries; those after it need not wait for it
        try:
            count = await self.counters.number(key, seconds)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            self._note_unavailable(error)
            return None
        self._unavailable, self._retry_at = False, 0.0
        return count

    def _note_unavailable(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + self.pause
        if not self._unavailable:
            self.observe(RateLimitUnavailable(type(error).__name__))
        self._unavailable = True
