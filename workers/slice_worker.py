"""ARQ's worker, except that it takes no more slices from the queue than it works on at a time."""

from collections.abc import Sequence
from typing import Any, Final

from arq.worker import Worker

from app.queue.tasks import TASKS

SLICES: Final = frozenset(task.name for task in TASKS.values() if task.lane == "slice")


class SliceWorker(Worker):
    """A slice that would wait here for its turn stays in the queue: another worker may have a turn for it, and a small
    import that comes in the meantime goes before it. Transfers share out their slots among accounts: `FetchSlots`."""

    def __init__(self, functions: Sequence[Any], *, slices_at_once: int, **options: Any) -> None:
        super().__init__(functions, **options)
        self._slices_at_once = slices_at_once

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        all_taken = self._all_turns_taken()
        for job_id in map(bytes.decode, job_ids):
            # What has begun stays in the queue until it has ended.
            if job_id not in self.tasks and not (all_taken and is_slice(job_id)):
                await super().start_jobs([job_id.encode()])
                all_taken = self._all_turns_taken()

    def _all_turns_taken(self) -> bool:
        under_way = [job_id for job_id, task in self.tasks.items() if not task.done()]
        return sum(map(is_slice, under_way)) >= self._slices_at_once


def is_slice(job_id: str) -> bool:
    """By the name of its task, with which the ids of `TaskQueue` begin."""
    return job_id.partition(":")[0] in SLICES
