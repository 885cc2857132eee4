"""Cordial's product imports: the file comes with the request, or is fetched from where the body says."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.errors import Complaint
from app.imports.intake import Submission, submit
from app.runtime import Runtime
from app.surfaces.cordial.routes.reach import ensure_reachable
from app.surfaces.cordial.translate.imports import check_columns, form_to_body, parse_settings, refuse_any
from app.surfaces.cordial.translate.source import parse_source
from app.surfaces.cordial.wire.errors import refusals
from app.surfaces.cordial.wire.imports import FORM, JSON_BODY, StartedJob
from app.web.admission import admit_import
from app.web.bodies.json_body import read_exact_object
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import Form, receive_form
from app.web.caller import MayWriteImports, OpenRuntime
from app.web.openapi import operation_id
from app.web.requests import request_id
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(tags=["productimports"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute)
REFUSALS = refusals(400, 401, 403, 413, 415, 422, 429, 500, 503)


@router.post("/v2/productimports", response_model=StartedJob, responses=REFUSALS, openapi_extra=JSON_BODY)
# Each path takes both bodies. They are described apart, because generators of clients cope with one body a path.
@router.post(
    "/v2/productimports/",
    name="import_product_file",
    response_model=StartedJob,
    responses=REFUSALS,
    openapi_extra=FORM,
)
@router.post(
    "/productimports",
    name="import_products_at_root",
    response_model=StartedJob,
    responses=REFUSALS,
    openapi_extra=JSON_BODY,
)
async def import_products(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import of products. Say where the file is, or send it as the part `file` of a form.

    Columns are the fields of a product, `sale.enabled`, `properties.…`, `variants.0.sku`, `variants.0.qty`,
    `variants.0.attr.…`, `images.0` and `tags.0`. A row updates the product with its `productID`, or creates it. An
    empty cell empties the field. A cell that equals `nullMarker` leaves the field as it is.
    """
    async with admit_import(runtime, caller):
        if not is_form(request):
            return await start_import(runtime, await read_pull(request, caller, runtime))
        async with receive_form(request, runtime) as form:
            return await start_import(runtime, read_upload(form, caller, request_id(request)))


def read_upload(form: Form, caller: Caller, request_id: str) -> Submission:
    """The import of a file that the form holds. Raises Refused("invalid")."""
    complaints = list(form.complaints)
    if form.upload is None:
        complaints.append(Complaint("file", "The file field is required."))
    settings = parse_settings(form_to_body(form, complaints), complaints)
    refuse_any(complaints)
    assert form.upload is not None  # noqa: S101  otherwise there was a complaint
    return settings.build_submission(caller, form.upload, request_id=request_id)


async def read_pull(request: Request, caller: Caller, runtime: Runtime) -> Submission:
    """The import of a file elsewhere. Raises Refused: unsupported_media_type, bad_request, too_large, invalid."""
    body = await read_exact_object(request, idle=runtime.settings.upload_idle_seconds)
    complaints: list[Complaint] = []
    pull, settings = parse_source(body.get("source"), complaints), parse_settings(body, complaints)
    refuse_any(complaints)
    assert pull is not None  # noqa: S101  otherwise there was a complaint
    check_columns(settings, pull.file_name)
    await ensure_reachable(pull, runtime.policy_for(caller.account_id))
    return settings.build_submission(caller, pull, request_id=request_id(request))


async def start_import(runtime: Runtime, submission: Submission) -> Response:
    run = await submit(runtime, submission)
    return Response(StartedJob(jobId=run.id, jobID=run.id).encoded(), media_type="application/json")
