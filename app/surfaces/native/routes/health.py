"""Whether the service lives, whether it can work, and its figures; none of them needs a key."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import Retryable
from app.storage import runs
from app.surfaces.native import translate, wire
from app.surfaces.native.readiness import readiness
from app.web.caller import OpenRuntime
from app.web.openapi import PUBLIC, operation_id

router = APIRouter(tags=["health"], generate_unique_id_function=operation_id)


@router.get("/healthz", response_model=wire.Health, openapi_extra=PUBLIC)
async def healthz() -> Response:
    """Tell that the process lives, and nothing more."""
    return Response(wire.Health(status="ok").encoded(), media_type=translate.JSON)


@router.get("/readyz", response_model=wire.Readiness, responses={503: {"model": wire.Readiness}}, openapi_extra=PUBLIC)
async def readyz(runtime: OpenRuntime) -> Response:
    """Tell of every part that the service needs whether it works; 503 when one does not."""
    shown = translate.ready(await readiness(runtime))
    return Response(shown.encoded(), 200 if shown.ready else 503, media_type=translate.JSON)


@router.get("/metrics", response_class=Response, responses=wire.METRICS, openapi_extra=PUBLIC)
async def metrics(runtime: OpenRuntime) -> Response:
    """Figures of this process and of the queue, in Prometheus' text format."""
    own = runtime.observe.metrics.text()
    try:
        async with runtime.database.read() as session:
            shared = translate.gauges(await runs.figures(session))
    except Retryable:
        shared = ""  # without PostgreSQL the process still has figures of its own
    return Response(own + shared.encode(), media_type=CONTENT_TYPE_LATEST)
