"""Health, readiness and metrics. None of them needs a key."""

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import Retryable
from app.storage import runs
from app.surfaces.native import translate
from app.surfaces.native.wire.health import METRICS, Health, Readiness
from app.web.caller import OpenRuntime
from app.web.openapi import PUBLIC, operation_id
from app.web.refusals import describe_refusal
from app.web.server.readiness import check_parts

router = APIRouter(tags=["health"], generate_unique_id_function=operation_id)
NOT_READY: Final[dict[int | str, dict[str, Any]]] = {503: describe_refusal(Readiness, "Service Unavailable")}


@router.get("/healthz", response_model=Health, openapi_extra=PUBLIC)
async def healthz() -> Response:
    """Say that the process is alive, and nothing more."""
    return Response(Health(status="ok").encoded(), media_type=translate.JSON)


@router.get("/readyz", response_model=Readiness, responses=NOT_READY, openapi_extra=PUBLIC)
async def readyz(runtime: OpenRuntime) -> Response:
    """Say for each part that the service depends on whether it works; 503 if one does not."""
    readiness = translate.readiness(await check_parts(runtime))
    return Response(readiness.encoded(), 200 if readiness.ready else 503, media_type=translate.JSON)


@router.get("/metrics", response_class=Response, responses=METRICS, openapi_extra=PUBLIC)
async def metrics(runtime: OpenRuntime) -> Response:
    """Read the metrics of this process and of the queue, in the text format of Prometheus."""
    own = runtime.observe.metrics.text()
    try:
        async with runtime.database.read() as session:
            shared = translate.gauges(await runs.figures(session))
    except Retryable:
        shared = ""  # without PostgreSQL the process still has metrics of its own
    return Response(own + shared.encode(), media_type=CONTENT_TYPE_LATEST)
