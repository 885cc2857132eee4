"""ARQ's worker, except that it takes no more slices from the queue than it works on at a time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from arq.utils import timestamp_ms
from arq.worker import Worker
from redis.exceptions import RedisError

from app.queue.tasks import TASKS

SLICES: Final = frozenset(task.name for task in TASKS.values() if task.lane == "slice")


class SliceWorker(Worker):
    """A slice that would wait here for its turn stays in the queue: another worker may have a turn for it, and a small
    import that comes in the meantime goes before it. Transfers share out their slots among accounts: `FetchSlots`."""

    def __init__(self, functions: Sequence[Any], *, slices_at_once: int, **options: Any) -> None:
        super().__init__(functions, **options)
        self._slices_at_once = slices_at_once
        self._starting = asyncio.Lock()
        self._looks: set[asyncio.Task[None]] = set()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        async with self._starting:
            passed_over = self._all_turns_taken()
            for job_id in map(bytes.decode, job_ids):
                # What has begun stays in the queue until it has ended.
                if job_id in self.tasks or (passed_over and is_slice(job_id)):
                    continue
                await super().start_jobs([job_id.encode()])
                if is_slice(job_id) and job_id in self.tasks:
                    self.tasks[job_id].add_done_callback(self._look_again)
                # Once one was passed over, no later one goes before it, even if a turn gets free meanwhile.
                passed_over = passed_over or self._all_turns_taken()

    def _all_turns_taken(self) -> bool:
        under_way = [job_id for job_id, task in self.tasks.items() if not task.done()]
        return sum(map(is_slice, under_way)) >= self._slices_at_once

    def _look_again(self, _: "asyncio.Task[Any]") -> None:
        """A turn is free: the next look of ARQ may be as far away as a small import takes."""
        look = asyncio.get_running_loop().create_task(self._fill_turns())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _fill_turns(self) -> None:
        with suppress(RedisError, OSError):  # ARQ's next look meets it, too
            if self.allow_pick_jobs:
                most = self.queue_read_limit
                waiting = await self.pool.zrangebyscore(
                    self.queue_name, min=float("-inf"), max=timestamp_ms(), start=0, num=most
                )
                await self.start_jobs(waiting)


def is_slice(job_id: str) -> bool:
    """By the name of its task, with which the ids of `TaskQueue` begin."""
    return job_id.partition(":")[0] in SLICES
