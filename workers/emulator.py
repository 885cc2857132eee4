"""`python -m workers.emulator`: the worker of an emulator, whose imports go wrong as the faults say."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from app.emulator.faults import Fault, StoredFault, load_faults, take_due
from app.errors import Fatal
from app.runs.kinds import Kind, Step
from app.runs.lifecycle import Stopping, Work
from app.runs.model import Run
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from app.storage.emulator.schema import SEARCH_PATH
from workers.__main__ import main, serve
from workers.engines import ENGINES
from workers.tasks import build_functions


async def fail_import(fault: Fault) -> None:
    """Raises Fatal."""
    raise Fatal(fault.failure, f"The emulator was told to let the import fail before row {fault.row:,}")


async def wait(fault: Fault) -> None:
    await asyncio.sleep(fault.seconds)


async def die(_: Fault) -> None:
    """As if the machine had taken the process: nothing is given back, and the run waits until its lease is over."""
    os.kill(os.getpid(), signal.SIGKILL)


HAPPENINGS: Final[Mapping[str, Callable[[Fault], Awaitable[None]]]] = {
    "import_fails": fail_import,
    "import_waits": wait,
    "worker_dies": die,
}


def with_faults(work: Work) -> Work:
    """The engine, which comes to the row of each fault that fits the run, and stops there for it to happen."""

    async def work_with_faults(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
        ahead = [each for each in await load_faults(runtime.database) if concerns(each, run)]
        here = [each for each in ahead if each.fault.row == run.at_row + 1]
        for fault in await take_due(runtime.database, here):
            await HAPPENINGS[fault.fault](fault)
        later = [each.fault.row for each in ahead if each.fault.row > run.at_row + 1]
        return await work(stop_before(runtime, run, min(later)) if later else runtime, run, stopping)

    return work_with_faults


def concerns(stored: StoredFault, run: Run) -> bool:
    return run.step is Step.WRITE and stored.fault.fits_run(run) and not stored.fault.is_used_up(stored.reached)


def stop_before(runtime: Runtime, run: Run, row: int) -> Runtime:
    """With settings by which a slice is one batch that ends before the row."""
    rows = min(runtime.settings.batch_rows, row - 1 - run.at_row)
    settings = runtime.settings.model_copy(update={"batch_rows": rows, "slice_seconds": 0.0})
    return replace(runtime, settings=settings)


async def work(settings: Settings) -> None:
    engines: dict[Kind, Work] = {kind: with_faults(work) for kind, work in ENGINES.items()}
    async with open_runtime(settings, search_path=SEARCH_PATH) as runtime:
        await serve(runtime, build_functions(engines))


if __name__ == "__main__":
    sys.exit(main(work))
