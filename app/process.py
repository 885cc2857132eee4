"""How a process of the service starts and ends: settings, log, what is said when it fails, and exit codes."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine

import uvloop
from pydantic import ValidationError

from app.errors import INTERRUPTED, MISCONFIGURED, TROUBLE, Misconfigured, SluiceError
from app.observe.logs import configure, describe_crash
from app.settings import Settings, describe_wrong_setting


def run_process(work: Callable[[Settings], Coroutine[None, None, None]]) -> int:
    """Runs an API or a worker with the settings of the environment until it is asked to stop. Returns the exit code. A
    failure is told in one line on stderr. Until `work` handles signals itself, SIGTERM ends the process at once."""
    gc.freeze()  # what was imported stays, and nobody looks through it again
    gc.enable()
    try:
        settings = Settings()
        configure(settings.log_level, settings.log_format)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work(settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    except ValidationError as wrong:
        return fail(describe_wrong_setting(wrong), MISCONFIGURED)
    except Misconfigured as wrong:
        return fail(str(wrong), MISCONFIGURED)
    except SluiceError as trouble:
        return fail(str(trouble), trouble.exit_code)
    except Exception as crash:  # noqa: BLE001  a traceback would repeat what drivers put into their texts
        return fail(describe_crash(crash), TROUBLE)
    return 0


def fail(reason: str, exit_code: int) -> int:
    print(f"sluice: {' '.join(reason.split())}", file=sys.stderr, flush=True)
    return exit_code
