"""How ARQ is set up. Each value avoids a trap that was measured (ARCHITECTURE.md, "Traps")."""

import asyncio
import os
import secrets
import socket
from contextlib import AsyncExitStack
from typing import Any

from arq.worker import Worker, func

from app.addresses import join_port
from app.observe.process_events import ProcessStarted, ProcessStopped
from app.queue.server import QueueUnavailable
from app.queue.task_queue import QUEUE, TASK_EXPIRES_MS, deserialize, open_client, serialize
from app.runtime import Runtime
from app.settings import Settings
from workers.fetch_slots import FetchSlots
from workers.housekeeping import duties, keep_doing
from workers.slice_worker import SliceWorker
from workers.tasks import FUNCTIONS, Functions, end_exhausted

POLL_SECONDS = 0.02  # each slice enqueues the next: ARQ's half second in between would cost a quarter of the speed
SPARE_SECONDS = 300  # far longer than any slice; a dead worker is noticed by its lease and not by this timeout
EXPORT_PASSES = 2  # a file that turns out to need guards is written twice: app.exports.engine.work
MOST_READ = 1_000  # tasks in front that all wait for a slice, or are begun elsewhere, hide those behind them
MAX_TRIES = 1_000_000  # crashes are counted in PostgreSQL, and a deploy must not use up tries


def build_worker(runtime: Runtime, functions: Functions = FUNCTIONS) -> Worker:
    """An ARQ worker on an open runtime. `async_run()` ends on a signal."""
    settings = runtime.settings
    assert settings.redis_url is not None  # noqa: S101  open_runtime has checked
    longest = max(settings.source_seconds, EXPORT_PASSES * settings.export_seconds) + SPARE_SECONDS
    worker = SliceWorker(
        functions=[
            func(do, name=name, timeout=longest, keep_result=0, max_tries=MAX_TRIES) for name, do in functions.items()
        ],
        queue_name=QUEUE,
        redis_pool=open_client(settings.redis_url.get_secret_value(), settings.ca_file),
        slices_at_once=settings.slices_at_once,
        max_jobs=settings.slices_at_once + settings.fetches_at_once,
        max_tries=MAX_TRIES,
        poll_delay=POLL_SECONDS,
        keep_result=0,
        queue_read_limit=MOST_READ,
        expires_extra_ms=TASK_EXPIRES_MS,
        job_completion_wait=int(settings.shutdown_seconds),
        health_check_interval=3_600,
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
        ctx={"runtime": runtime},
        on_startup=start_housekeeping,
        on_shutdown=stop_housekeeping,
    )
    # ARQ takes no more tasks once it has to stop. Then a slice must not begin another batch.
    worker.ctx["stopping"] = lambda: not worker.allow_pick_jobs
    worker.ctx["exhausted"] = asyncio.Event()
    worker.ctx["fetches"] = build_fetch_slots(settings)
    # ARQ locks a task until its timeout, and a worker that died before it claimed the run would hold it up for as long.
    # The claim in PostgreSQL is the true lock: a task that is started twice does nothing the second time.
    worker.in_progress_timeout_s = settings.lease_seconds
    return worker


def build_fetch_slots(settings: Settings) -> FetchSlots:
    return FetchSlots(settings.fetches_at_once, asks_every=settings.sweep_seconds)


async def start_housekeeping(ctx: dict[str, Any]) -> None:
    """Starts housekeeping. Raises nothing, because ARQ would die of it."""
    runtime: Runtime = ctx["runtime"]
    ctx["name"] = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    ctx["duties"] = [asyncio.create_task(keep_doing(runtime, ctx["name"], duty)) for duty in duties(runtime)]
    for duty in ctx["duties"]:  # they end only when memory is used up
        duty.add_done_callback(lambda ended: None if ended.cancelled() else end_exhausted(ctx))
    port = runtime.settings.worker_metrics_port
    url = f"http://{join_port(socket.gethostname(), port)}/metrics" if port else None
    runtime.observe(ProcessStarted("worker", os.getpid(), url))
    print(f"sluice: waiting for imports{f'; metrics at {url}' if url else ''}", flush=True)


async def stop_housekeeping(ctx: dict[str, Any]) -> None:
    runtime: Runtime = ctx["runtime"]
    for duty in ctx.get("duties", ()):
        duty.cancel()
    async with AsyncExitStack() as stack:
        stack.callback(runtime.observe, ProcessStopped("worker", os.getpid()))
        try:
            await runtime.queue.remove_worker(ctx.get("name", ""))
        except QueueUnavailable:
            return
