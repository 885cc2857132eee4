"""`python -m workers`: one worker process, until SIGTERM."""

import asyncio
import sys
from collections.abc import Callable, Coroutine

from app.errors import Retryable
from app.observe.logs import configure
from app.runtime import Misconfigured, Runtime, open_runtime
from app.settings import Settings
from workers.settings import arq_worker


async def work(settings: Settings) -> None:
    async with open_runtime(settings) as runtime:
        await serve(runtime)


async def serve(runtime: Runtime) -> None:
    """Works on an open runtime until a signal, or until Redis is gone (which ARQ does not survive)."""
    worker = arq_worker(runtime)
    try:
        await worker.async_run()
    except asyncio.CancelledError:  # how ARQ ends on a signal
        return
    finally:
        await worker.close()


def main(work: Callable[[Settings], Coroutine[None, None, None]] = work) -> int:
    """The process's exit code: 0 after a signal, 1 when a server went away, 2 for a wrong setting."""
    settings = Settings()
    configure(settings.log_level)
    try:
        asyncio.run(work(settings))
    except Misconfigured as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except Retryable as gone:
        print(gone, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
