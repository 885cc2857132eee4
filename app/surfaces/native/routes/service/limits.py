"""The limits of this service, for clients that send files."""

from fastapi.responses import Response

from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.limits import Limits
from app.web.caller import MayWriteImports, OpenRuntime
from app.web.refusals import refusals

router = build_router("/limits", "imports")


@router.get("", response_model=Limits, responses=refusals(401, 403, 503))
async def get_limits(_: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Read how large a file may be, so that a client can refuse one before it sends it."""
    limits = Limits(max_file_bytes=runtime.settings.max_file_bytes, max_open_imports=runtime.settings.queue_limit)
    return Response(limits.encoded(), media_type=translate.JSON)
