"""`python -m workers`: one worker process, until SIGTERM."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine

from prometheus_client import start_http_server

from app.addresses import CannotListen
from app.errors import TROUBLE
from app.process import run_process
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from workers.settings import build_worker
from workers.tasks import FUNCTIONS, Functions


async def work(settings: Settings) -> None:
    async with open_runtime(settings) as runtime:
        serve_metrics(runtime)
        await serve(runtime)


def serve_metrics(runtime: Runtime) -> None:
    """Serves the figures of this process where a port is set for it. Raises CannotListen."""
    port = runtime.settings.worker_metrics_port
    try:
        if port:
            start_http_server(port, registry=runtime.observe.metrics.registry)
    except OSError as error:
        raise CannotListen(
            f"Cannot serve metrics on port {port}: {error.strerror}. Correct SLUICE_WORKER_METRICS_PORT"
        ) from None


async def serve(runtime: Runtime, functions: Functions = FUNCTIONS) -> None:
    """Works until a signal comes, or until Redis goes away, which ARQ does not survive. Raises SystemExit when memory
    is used up, after its runs were given back: the log has it."""
    worker = build_worker(runtime, functions)
    try:
        await worker.async_run()
    except asyncio.CancelledError:  # this is how ARQ ends on a signal
        if worker.ctx["exhausted"].is_set():
            raise SystemExit(TROUBLE) from None
    finally:
        await worker.close()


def tune_python() -> None:
    """Tunes Python for millions of short-lived lists in one thread while another one waits for sockets."""
    # Rows hold no reference cycles, and looking for some as often as Python does cost a tenth of reading and checking.
    gc.set_threshold(200_000, 20, 100)
    # The event loop gets the interpreter back ten times sooner than by default, so that PostgreSQL does not have to
    # wait.
    sys.setswitchinterval(0.0005)


def main(work: Callable[[Settings], Coroutine[None, None, None]] = work) -> int:
    """Returns the exit code: 0 after a signal, 1 when a server went away, 2 for a wrong setting."""
    tune_python()
    return run_process(work)


if __name__ == "__main__":
    sys.exit(main())
