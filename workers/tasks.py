"""ARQ's functions: one for each task, all of which work on a run for a slice."""

from typing import Any, Final, cast

from arq.typing import WorkerCoroutine

from app.queue.tasks import TASKS, Task
from app.runs.kinds import Kind
from app.runs.lifecycle import Work, work_on
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
            await work_on(ctx["runtime"], RunId(run_id), work, stopping=ctx["stopping"])

    return cast("WorkerCoroutine", work_on_run)


FUNCTIONS: Final = {task.name: build_function(task, ENGINES[Kind(kind)]) for (kind, _), task in TASKS.items()}
