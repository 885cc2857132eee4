"""ARQ cuts off no task that keeps to its own limits: it would begin again, for ever."""

from dataclasses import replace

from app.runtime import Runtime
from workers.settings import build_worker


async def test_an_export_may_take_its_time_for_each_of_its_two_passes(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"export_seconds": 3_600.0})
    worker = build_worker(replace(runtime, settings=settings))
    timeout_s = worker.functions["export_write"].timeout_s
    assert timeout_s is not None
    assert timeout_s > 2 * settings.export_seconds
    await worker.pool.aclose()
