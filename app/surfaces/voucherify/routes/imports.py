"""Voucherify's customer imports: a CSV file, a list of customers, or metadata for a list of ids."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.imports.intake import Submission, submit
from app.runtime import Runtime
from app.surfaces.voucherify.routes.caller import MayImportCustomers
from app.surfaces.voucherify.translate.imports import (
    csv_submission,
    flatten_customer,
    list_submission,
    required_property,
)
from app.surfaces.voucherify.wire.actions import BULK_BODY, CSV_FORM, METADATA_BODY, Started
from app.surfaces.voucherify.wire.errors import refusals
from app.web.admission import admit_import
from app.web.bodies.json_items import receive_items, receive_members
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import receive_form
from app.web.caller import OpenRuntime
from app.web.openapi import operation_id
from app.web.requests import request_id
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(tags=["customers"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute)
JSON = "application/json"
REFUSALS = refusals(400, 401, 403, 413, 415, 429, 500, 503)


@router.post(
    "/v1/customers/importCSV",
    status_code=202,
    response_model=Started,
    responses=REFUSALS,
    openapi_extra=CSV_FORM,
)
@router.post("/customers/importCSV", include_in_schema=False)
async def import_customers_using_csv(request: Request, caller: MayImportCustomers, runtime: OpenRuntime) -> Response:
    """Import a CSV file of customers: a known `source_id` is updated, an unknown one is created. Poll the action.

    Columns are the fields of a customer, in upper or lower case (`Id`, `Name`, `Email`, `Phone`, `Birthdate`,
    `Source_id`, `Address_line_1`, `Address_line_2`, `Address_Postal_Code`, `Address_City`, `Address_State`,
    `Address_Country`, `Description`; the last four parts of the address also without `Address_`). All others go to
    `metadata`.
    """
    async with admit_import(runtime, caller):
        if not is_form(request):
            raise required_property("file")
        async with receive_form(request, runtime) as form:
            submission = csv_submission(caller, form, request_id=request_id(request))
            return await start_import(runtime, submission)


@router.post(
    "/v1/customers/bulk/async", status_code=202, response_model=Started, responses=REFUSALS, openapi_extra=BULK_BODY
)
async def update_customers_in_bulk(request: Request, caller: MayImportCustomers, runtime: OpenRuntime) -> Response:
    """Update a list of customers by their `source_id`, or create them. Fields that are not sent stay as they are."""
    async with admit_import(runtime, caller), receive_items(request, runtime, translate=flatten_customer) as upload:
        submission = list_submission(caller, upload, request_id=request_id(request))
        return await start_import(runtime, submission)


@router.post(
    "/v1/customers/metadata/async",
    status_code=202,
    response_model=Started,
    responses=REFUSALS,
    openapi_extra=METADATA_BODY,
)
async def update_customers_metadata_in_bulk(
    request: Request, caller: MayImportCustomers, runtime: OpenRuntime
) -> Response:
    """Give the same metadata to all customers in a list of `source_id`s. Unknown ones are created."""
    members = receive_members(request, runtime, items="source_ids", item="source_id", other="metadata")
    async with admit_import(runtime, caller), members as (upload, metadata):
        submission = list_submission(caller, upload, request_id=request_id(request), metadata=metadata)
        return await start_import(runtime, submission)


async def start_import(runtime: Runtime, submission: Submission) -> Response:
    run = await submit(runtime, submission)
    return Response(Started(async_action_id=f"aa_{run.id}").encoded(), 202, media_type=JSON)
