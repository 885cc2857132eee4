"""Cordial's product imports: of a file that is fetched from where the body says, or that comes with the request."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.errors import Complaint
from app.imports.intake import Submission, submit
from app.runtime import Runtime
from app.surfaces.cordial.routes.reach import ensure_reachable
from app.surfaces.cordial.translate.imports import asked, check_columns, from_form, refuse, submission
from app.surfaces.cordial.translate.source import pull_of
from app.surfaces.cordial.wire.errors import refusals
from app.surfaces.cordial.wire.imports import IMPORT_BODY, Started
from app.web.admission import admit_import
from app.web.bodies.json_body import read_exact_object
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import receive_form
from app.web.caller import MayWriteImports, OpenRuntime
from app.web.openapi import operation_id
from app.web.requests import request_id

router = APIRouter(tags=["productimports"], generate_unique_id_function=operation_id)
REFUSALS = refusals(400, 401, 403, 413, 415, 422, 429, 500, 503)


@router.post("/v2/productimports", response_model=Started, responses=REFUSALS, openapi_extra=IMPORT_BODY)
@router.post("/v2/productimports/", include_in_schema=False)
@router.post(
    "/productimports",
    name="import_products_at_root",
    response_model=Started,
    responses=REFUSALS,
    openapi_extra=IMPORT_BODY,
)
@router.post("/productimports/", include_in_schema=False)
async def import_products(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import of products: name where the file is, or send it as the part `file` of a form.

    Columns are the fields of a product, `sale.enabled`, `properties.…`, `variants.0.sku`, `variants.0.qty`,
    `variants.0.attr.…`, `images.0`, `tags.0`. A known `productID` gets what the row has; an empty cell empties the
    field, a cell that is equal to `nullMarker` leaves it.
    """
    async with admit_import(runtime, caller):
        if not is_form(request):
            return await started(runtime, await pulled(request, caller, runtime))
        async with receive_form(request, runtime) as form:
            complaints = list(form.complaints)
            if form.upload is None:
                complaints.append(Complaint("file", "The file field is required."))
            wanted = asked(from_form(form, complaints), complaints)
            refuse(complaints)
            assert form.upload is not None  # noqa: S101  else it was refused
            return await started(
                runtime, submission(caller.account_id, wanted, form.upload, request_id=request_id(request))
            )


async def pulled(request: Request, caller: Caller, runtime: Runtime) -> Submission:
    """Of a file that is elsewhere. Raises Refused: unsupported_media_type, bad_request, too_large, invalid."""
    body = await read_exact_object(request, idle=runtime.settings.upload_idle_seconds)
    complaints: list[Complaint] = []
    pull, wanted = pull_of(body.get("source"), complaints), asked(body, complaints)
    refuse(complaints)
    assert pull is not None  # noqa: S101  else there are complaints
    check_columns(wanted, pull.file_name)
    await ensure_reachable(pull, runtime.terms)
    return submission(caller.account_id, wanted, pull, request_id=request_id(request))


async def started(runtime: Runtime, wanted: Submission) -> Response:
    run = await submit(runtime, wanted)
    return Response(Started(jobId=run.id, jobID=run.id).encoded(), media_type="application/json")
