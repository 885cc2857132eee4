"""Voucherify's imports of customers: a CSV file, a list of customers, or metadata for a list of their ids."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.imports.intake import Submission, submit
from app.runtime import Runtime
from app.surfaces.voucherify.routes.caller import MayImportCustomers
from app.surfaces.voucherify.translate.imports import csv_of, flat, lacking, of_csv, of_items
from app.surfaces.voucherify.wire.actions import BULK_BODY, CSV_FORM, METADATA_BODY, Started
from app.surfaces.voucherify.wire.errors import refusals
from app.web.admission import admit_import
from app.web.bodies.json_items import receive_items, receive_members
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import receive_form
from app.web.caller import OpenRuntime
from app.web.openapi import operation_id
from app.web.requests import request_id

router = APIRouter(tags=["customers"], generate_unique_id_function=operation_id)
JSON = "application/json"
REFUSALS = refusals(400, 401, 403, 413, 415, 429, 500, 503)


@router.post(
    "/v1/customers/importCSV",
    status_code=202,
    response_model=Started,
    responses=refusals(400, 401, 403, 413, 429, 500, 503),
    openapi_extra=CSV_FORM,
)
@router.post("/v1/customers/importCSV/", include_in_schema=False)
@router.post("/customers/importCSV", include_in_schema=False)
@router.post("/customers/importCSV/", include_in_schema=False)
async def import_customers_using_csv(request: Request, caller: MayImportCustomers, runtime: OpenRuntime) -> Response:
    """Import a CSV file of customers: known `source_id`s are updated, others are new. Poll the action for its result.

    Columns are the fields of a customer, in any case (`Id`, `Name`, `Email`, `Phone`, `Birthdate`, `Source_id`,
    `Address_line_1`, `Address_line_2`, `Address_Postal_Code`, `Address_City`, `Address_State`, `Address_Country`,
    `Description`; the last four of an address also without `Address_`). All others go to `metadata`.
    """
    async with admit_import(runtime, caller):
        if not is_form(request):
            raise lacking("file")
        async with receive_form(request, runtime) as form:
            wanted = of_csv(caller.account_id, csv_of(form), request_id=request_id(request))
            return await started(runtime, wanted)


@router.post(
    "/v1/customers/bulk/async", status_code=202, response_model=Started, responses=REFUSALS, openapi_extra=BULK_BODY
)
@router.post("/v1/customers/bulk/async/", include_in_schema=False)
async def update_customers_in_bulk(request: Request, caller: MayImportCustomers, runtime: OpenRuntime) -> Response:
    """Update a list of customers by their `source_id`; those that are new are made. What is not sent stays."""
    async with admit_import(runtime, caller), receive_items(request, runtime, translate=flat) as upload:
        return await started(runtime, of_items(caller.account_id, upload, request_id=request_id(request)))


@router.post(
    "/v1/customers/metadata/async",
    status_code=202,
    response_model=Started,
    responses=REFUSALS,
    openapi_extra=METADATA_BODY,
)
@router.post("/v1/customers/metadata/async/", include_in_schema=False)
async def update_customers_metadata_in_bulk(
    request: Request, caller: MayImportCustomers, runtime: OpenRuntime
) -> Response:
    """Give the same metadata to all customers of a list of `source_id`s; those that are new are made."""
    members = receive_members(request, runtime, items="source_ids", item="source_id", beside="metadata")
    async with admit_import(runtime, caller), members as (upload, metadata):
        wanted = of_items(caller.account_id, upload, request_id=request_id(request), metadata=metadata)
        return await started(runtime, wanted)


async def started(runtime: Runtime, wanted: Submission) -> Response:
    run = await submit(runtime, wanted)
    return Response(Started(async_action_id=f"aa_{run.id}").encoded(), 202, media_type=JSON)
