"""The queue of tasks, in Redis or Valkey: tells the workers what can go on. Losing a task loses no work, because the
sweeper enqueues it again from PostgreSQL."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from app.queue.server import REACH_SECONDS, QueueUnavailable, build_redis, explain_no_connection, parse_address

QUEUE = "sluice:queue"
HEARTBEATS = "sluice:worker:"  # a key per living worker, which expires soon after the worker's last heartbeat
HEARTBEAT_EXPIRES_SECONDS = 30
PLANS = "plans:"  # begins the value of a heartbeat: which plans the worker knows
ANSWER_SECONDS = 2.0  # a frozen server must not delay the answer to a POST whose run is committed already
WRITE_TEST = "sluice:write-test"
REFUSALS = {
    "MISCONF": ": it cannot save to its disk. Look for a full disk, and into its log",
    "NOREPLICAS": ": it has fewer replicas than min-replicas-to-write",
}
CLOCKS_APART = timedelta(days=1)  # more than any two clocks should differ
# What begins goes before tasks that have waited for less than this. What is also done in one turn has twice as much: a
# small run need not wait until each of the large ones had its turn, and these wait no longer than that for it.
HEAD_START = timedelta(seconds=10)
TASK_EXPIRES_MS = 7 * 86_400_000


T = TypeVar("T")


class QueueRefusesWrites(QueueUnavailable):
    """Redis or Valkey answers, but takes no tasks and no heartbeats."""


class WrongEvictionPolicy(ValueError):
    """The server may drop queued tasks when its memory is full."""


def serialize(job: dict[str, Any]) -> bytes:
    """Uses JSON instead of ARQ's pickle: write access to the queue must not let anyone run code in a worker."""
    return json.dumps(job, default=repr).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(data))


def open_client(url: str, ca_file: Path | None = None) -> ArqRedis:
    """ARQ's client of the queue, which does not connect yet; `ca_file` as in `build_redis`. Raises WrongAddress."""
    return build_redis(
        parse_address(url),
        ca_file,
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=QUEUE,
        expires_extra_ms=TASK_EXPIRES_MS,
    )


class TaskQueue:
    """The sending end of the queue, and the heartbeats of the workers."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    @classmethod
    async def open(cls, url: str, ca_file: Path | None = None) -> "TaskQueue":
        """Connects and checks the server; `ca_file` as in `build_redis`. Raises WrongAddress, AddressRefused,
        WrongEvictionPolicy, or QueueUnavailable, which names the server."""
        redis = open_client(url, ca_file)
        try:
            async with asyncio.timeout(REACH_SECONDS):
                await check_eviction(redis)
        except (RedisError, OSError) as error:
            await redis.aclose()
            raise explain_no_connection(error, parse_address(url)) from error
        return cls(redis)

    async def close(self) -> None:
        await self._redis.aclose()

    @property
    def connections(self) -> ConnectionPool:
        """For others who use the same server; closed together with the queue."""
        return self._redis.connection_pool

    async def enqueue(self, task: str, run_id: str, attempt: int, *, small: bool = False) -> None:
        """Puts a task at the end of the queue, the first one of a run HEAD_START before that, of a `small` run twice as
        far. Twice for one attempt is one task. Raises QueueUnavailable."""
        ahead = timedelta(0) if attempt else HEAD_START * (1 + small)
        await call(self._enqueue(task, run_id, f"{task}:{run_id}:{attempt}", ahead))

    async def _enqueue(self, task: str, run_id: str, job_id: str, ahead: timedelta) -> None:
        """ARQ gives tasks out in the order of the times at which they are due, and none before its time. They are due
        by the clock of Redis, which all share, and so long ago that no worker takes one for a task of the future."""
        seconds, microseconds = await self._redis.time()
        due = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds) - CLOCKS_APART - ahead
        job = await self._redis.enqueue_job(
            task, run_id, _job_id=job_id, _defer_until=due, _expires=TASK_EXPIRES_MS / 1000
        )
        if job is None:  # it is there already, perhaps by the clock of an older release
            await self._redis.zadd(QUEUE, {job_id: int(due.timestamp() * 1000)}, xx=True, lt=True)

    async def send_heartbeat(self, worker: str, plan_version: int) -> None:
        """Tells that a worker is alive and which plans it knows; it counts for HEARTBEAT_EXPIRES_SECONDS."""
        await call(self._redis.set(HEARTBEATS + worker, f"{PLANS}{plan_version}", ex=HEARTBEAT_EXPIRES_SECONDS))

    async def remove_worker(self, worker: str) -> None:
        """Tells that a worker has stopped."""
        await call(self._redis.delete(HEARTBEATS + worker))

    async def list_workers(self) -> list[int]:
        """For each living worker the newest version of plans that it knows. Raises QueueUnavailable."""
        names: list[bytes] = []
        cursor, more = 0, True
        while more:
            cursor, found = await call(self._redis.scan(cursor, match=HEARTBEATS + "*", count=1000))
            names, more = [*names, *found], cursor != 0
        values = await call(self._redis.mget(names)) if names else []
        return [parse_plan_version(value.decode()) for value in values if value is not None]

    async def check_writes(self) -> None:
        """Writes a key that expires at once. Raises QueueUnavailable, and of it QueueRefusesWrites with the reason."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._redis.set(WRITE_TEST, 1, px=1)
        except ResponseError as refused:
            raise QueueRefusesWrites(f"Redis refuses writes{explain_refusal(refused)}") from refused
        except (RedisError, OSError) as trouble:
            raise QueueUnavailable("Redis did not answer") from trouble


def parse_plan_version(heartbeat: str) -> int:
    """Workers of release 0.1, which know plans of version 1, sent the time instead."""
    return int(heartbeat.removeprefix(PLANS)) if heartbeat.startswith(PLANS) else 1


def explain_refusal(refused: ResponseError) -> str:
    """In words of our own: the server's may quote a command with its values."""
    if isinstance(refused, OutOfMemoryError):
        return ": its memory is full. Raise maxmemory, or find out who else fills it"
    if isinstance(refused, ReadOnlyError):
        return ": it is a read-only replica. SLUICE_REDIS_URL must name the primary"
    if isinstance(refused, NoPermissionError):
        return ": the user of SLUICE_REDIS_URL may not write"
    return next((why for code, why in REFUSALS.items() if str(refused).startswith(code)), "")


async def call(command: Awaitable[T]) -> T:
    """The answer of the server, which has ANSWER_SECONDS. Raises QueueUnavailable."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await command
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        raise QueueUnavailable("Redis did not answer") from error


async def check_eviction(redis: ArqRedis) -> None:
    """Raises WrongEvictionPolicy for a server that may evict tasks to make room."""
    policy = (await redis.info("memory")).get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise WrongEvictionPolicy(
            f"Redis may drop queued imports: its maxmemory-policy is {policy}. Set maxmemory-policy to noeviction"
        )
