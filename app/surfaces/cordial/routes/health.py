"""The endpoint with which clients test a key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.surfaces.cordial.wire.errors import refusals
from app.surfaces.cordial.wire.shape import Success
from app.web.caller import ServiceRuntime, identify_caller
from app.web.openapi import operation_id
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(tags=["health"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute)


async def authenticate(request: Request, runtime: ServiceRuntime) -> Caller:
    """Any valid key, whatever its scopes."""
    return await identify_caller(request, runtime)


@router.get("/v2/health", response_model=Success, responses=refusals(401, 403, 429, 500, 503))
async def check_health(_caller: Annotated[Caller, Depends(authenticate)]) -> Response:
    """Check that the service answers and the key is valid."""
    return Response(Success(success=True).encoded(), media_type="application/json")
