"""The doorbell: rings ARQ after a commit. Losing a ring loses no work, the sweeper rings again."""

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any, TypeVar, cast
from urllib.parse import unquote

from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.errors import Retryable

QUEUE = "sluice:queue"
WORKERS = "sluice:worker:"  # a key per living worker, renewed by its loop, gone soon after it
WORKER_SEEN_SECONDS = 30
ANSWER_SECONDS = 2.0  # a frozen server must not hold up the answer to a POST whose run is committed
RING_EXPIRES_MS = 7 * 86_400_000


T = TypeVar("T")


class QueueUnavailable(Retryable):
    """Redis or Valkey did not answer."""


class WrongAddress(ValueError):
    """The server's address cannot be read. What the parsers say quotes it, and so a part of the password."""

    def __str__(self) -> str:
        told = "SLUICE_REDIS_URL cannot be read; it must be redis://:password@host:port/number"
        return f"{told} with the password percent-encoded"


class WrongEvictionPolicy(ValueError):
    """The server may drop queued jobs when its memory is full."""


def serialize(job: dict[str, Any]) -> bytes:
    """JSON instead of ARQ's pickle: write access to the queue must not become code execution in a worker."""
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(data))


def redis_settings(url: str) -> RedisSettings:
    """Raises WrongAddress."""
    try:
        settings = RedisSettings.from_dsn(url)
    except (ValueError, RuntimeError):
        raise WrongAddress from None
    # ARQ hands on what stands in the address, and there user and password are percent-encoded.
    settings.username = unquote(settings.username) if settings.username else settings.username
    settings.password = unquote(settings.password) if settings.password else settings.password
    settings.conn_timeout = 5
    settings.conn_retries = 20
    settings.retry_on_timeout = True
    return settings


class TaskQueue:
    """The queue's ringing end."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    @classmethod
    async def open(cls, url: str) -> "TaskQueue":
        """Connects and checks the server. Raises WrongAddress, WrongEvictionPolicy or QueueUnavailable."""
        try:
            redis = await create_pool(
                redis_settings(url), job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE
            )
            await check_eviction(redis)
        except (RedisError, OSError) as trouble:
            raise QueueUnavailable("Redis did not answer") from trouble
        return cls(redis)

    async def close(self) -> None:
        await self._redis.aclose()

    @property
    def connections(self) -> ConnectionPool:
        """For others who speak with the same server; closed with the bell."""
        return self._redis.connection_pool

    async def enqueue(self, task: str, run_id: str, attempt: int) -> None:
        """Puts a job at the end of the queue; twice for one attempt is one job. Raises QueueUnavailable."""
        job_id = f"{task}:{run_id}:{attempt}"
        await answered(self._redis.enqueue_job(task, run_id, _job_id=job_id, _expires=RING_EXPIRES_MS / 1000))

    async def beat(self, worker: str) -> None:
        """Says that a worker is alive, for WORKER_SEEN_SECONDS."""
        await answered(self._redis.set(WORKERS + worker, int(time.time()), ex=WORKER_SEEN_SECONDS))

    async def leave(self, worker: str) -> None:
        """Says that a worker has stopped."""
        await answered(self._redis.delete(WORKERS + worker))

    async def workers(self) -> int:
        """How many workers were seen lately. Raises QueueUnavailable."""
        seen = 0
        cursor = 0
        while True:
            cursor, names = await answered(self._redis.scan(cursor, match=WORKERS + "*", count=1000))
            seen += len(names)
            if cursor == 0:
                return seen


async def answered(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await call
    except (RedisError, OSError) as trouble:  # a TimeoutError is an OSError
        raise QueueUnavailable("Redis did not answer") from trouble


async def check_eviction(redis: ArqRedis) -> None:
    """Refuses a server that may evict jobs: a queue that loses acknowledged work is worse than none."""
    policy = (await redis.info("memory")).get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise WrongEvictionPolicy(
            f"The Redis server's maxmemory-policy is {policy!r}: it may drop queued imports. Set it to 'noeviction'"
        )
