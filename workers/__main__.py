"""`python -m workers`: one worker process, until SIGTERM."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine

import uvloop

from app.errors import Retryable
from app.observe.logs import configure
from app.runs.lifecycle import OutOfMemory
from app.runtime import Misconfigured, Runtime, open_runtime
from app.settings import Settings
from workers.settings import build_worker


async def work(settings: Settings) -> None:
    async with open_runtime(settings) as runtime:
        await serve(runtime)


async def serve(runtime: Runtime) -> None:
    """Works until a signal comes, or until Redis goes away, which ARQ does not survive. Raises OutOfMemory, after its
    runs were given back."""
    worker = build_worker(runtime)
    try:
        await worker.async_run()
    except asyncio.CancelledError:  # this is how ARQ ends on a signal
        if worker.ctx["exhausted"].is_set():
            raise OutOfMemory from None
    finally:
        await worker.close()


def tune_python() -> None:
    """Tunes Python for millions of short-lived lists in one thread while another one waits for sockets."""
    # Rows hold no reference cycles, and looking for some as often as Python does cost a tenth of reading and checking.
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    # The event loop gets the interpreter back ten times sooner than by default, so that PostgreSQL does not have to
    # wait.
    sys.setswitchinterval(0.0005)


def main(work: Callable[[Settings], Coroutine[None, None, None]] = work) -> int:
    """Returns the exit code: 0 after a signal, 1 when a server went away or memory was used up, 2 for a wrong
    setting."""
    settings = Settings()
    configure(settings.log_level)
    tune_python()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work(settings))
    except Misconfigured as wrong:
        print(f"sluice: {wrong}", file=sys.stderr)
        return 2
    except Retryable as gone:
        print(f"sluice: {gone}", file=sys.stderr)
        return 1
    except OutOfMemory:
        return 1  # the log has it
    return 0


if __name__ == "__main__":
    sys.exit(main())
