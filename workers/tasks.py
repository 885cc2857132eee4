"""ARQ's functions: one for each task, all of which work on a run for a slice."""

import os
import signal
from typing import Any, Final, cast

from arq.typing import WorkerCoroutine

from app.observe.process_events import MemoryExhausted
from app.queue.tasks import TASKS, Task
from app.runs.kinds import Kind
from app.runs.lifecycle import OutOfMemory, Work, work_on
from app.runs.model import RunId
from workers.engines import ENGINES


def build_function(task: Task, work: Work) -> WorkerCoroutine:
    """The function that ARQ calls for the task, with the id of a run."""

    async def work_on_run(ctx: dict[Any, Any], run_id: str) -> None:
        lane = ctx["lanes"][task.lane]
        # A transfer takes minutes, and a task that waited for its turn would hold up the slices: the sweeper enqueues
        # it again.
        if task.lane == "transfer" and lane.locked():
            return
        async with lane:
            try:
                await work_on(ctx["runtime"], RunId(run_id), work, stopping=ctx["stopping"])
            except OutOfMemory:
                end_exhausted(ctx)

    return cast("WorkerCoroutine", work_on_run)


def end_exhausted(ctx: dict[Any, Any]) -> None:
    """Ends a worker that has no memory left, as a signal does: what it works on is given back."""
    if ctx["exhausted"].is_set():
        return
    ctx["exhausted"].set()
    ctx["runtime"].observe(MemoryExhausted("worker", os.getpid()))
    os.kill(os.getpid(), signal.SIGTERM)


FUNCTIONS: Final = {task.name: build_function(task, ENGINES[Kind(kind)]) for (kind, _), task in TASKS.items()}
