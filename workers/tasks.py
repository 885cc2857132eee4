"""ARQ's functions: one for each task, all of which work on a run for a slice."""

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from arq.typing import WorkerCoroutine

from app.observe.process_events import MemoryExhausted
from app.queue.tasks import TASKS, Lane, Task
from app.runs.kinds import Kind
from app.runs.lifecycle import OutOfMemory, Work, work_on
from app.runs.model import RunId
from app.storage import runs
from workers.engines import ENGINES


def build_function(task: Task, work: Work) -> WorkerCoroutine:
    """The function that ARQ calls for the task, with the id of a run."""

    async def work_on_run(ctx: dict[Any, Any], run_id: str) -> None:
        try:
            async with enter_lane(ctx, task.lane, RunId(run_id)) as entered:
                if entered and not ctx["exhausted"].is_set():
                    await work_on(ctx["runtime"], RunId(run_id), work, stopping=ctx["stopping"])
        except OutOfMemory:
            end_exhausted(ctx)

    return cast("WorkerCoroutine", work_on_run)


@asynccontextmanager
async def enter_lane(ctx: dict[Any, Any], lane: Lane, run_id: RunId) -> AsyncIterator[bool]:
    """Whether there is a slot for it now. A slice has one, or it would not have been taken from the queue. A transfer
    takes minutes, and a task that waited for its turn would hold up others: the sweeper enqueues it again."""
    if lane == "slice":
        yield True
        return
    async with ctx["runtime"].database.read() as session:
        account_id = await runs.find_account(session, run_id)
    with ctx["fetches"].slot(account_id) as free:
        yield free


def end_exhausted(ctx: dict[Any, Any]) -> None:
    """Ends a worker that has no memory left, as a signal does: what it works on is given back."""
    if ctx["exhausted"].is_set():
        return
    ctx["exhausted"].set()
    ctx["runtime"].observe(MemoryExhausted("worker", os.getpid()))
    os.kill(os.getpid(), signal.SIGTERM)


Functions = Mapping[str, WorkerCoroutine]


def build_functions(engines: Mapping[Kind, Work]) -> Functions:
    """By the names of their tasks."""
    return {task.name: build_function(task, engines[Kind(kind)]) for (kind, _), task in TASKS.items()}


FUNCTIONS: Final = build_functions(ENGINES)
