"""Voucherify's customers: list them, and read one by its id or its source_id."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.errors import Refused, shorten_name
from app.imports.checking.record_keys import key_from_source
from app.resources.customers import RESOURCE
from app.resources.field_types import normalize_key
from app.resources.schema import Field
from app.storage import records
from app.storage.database import ReadSession
from app.storage.listing import Page, list_after_cursor, list_page
from app.surfaces.voucherify.routes.caller import MayReadCustomers
from app.surfaces.voucherify.translate.customers import build_record_query, customer_from_record, render_customers
from app.surfaces.voucherify.wire.customers import Customer, CustomerList, CustomerQuery
from app.surfaces.voucherify.wire.errors import refusals
from app.web.caller import OpenRuntime
from app.web.links import key_path
from app.web.openapi import operation_id

router = APIRouter(prefix="/v1/customers", tags=["customers"], generate_unique_id_function=operation_id)
JSON = "application/json"
TYPE: Final = RESOURCE.name


@router.get("", response_model=CustomerList, responses=refusals(400, 401, 403, 429, 500, 503))
@router.get("/", include_in_schema=False)
async def list_customers(
    query: Annotated[CustomerQuery, Query()], caller: MayReadCustomers, runtime: OpenRuntime
) -> Response:
    """List the account's customers, newest first.

    Go through all of them with `starting_after`. A page can then be longer than `limit`, by the customers that were
    created at the same time as its last one. With `page` it never is.
    """
    record_query = build_record_query(query, caller.account_id)
    if query.segment_id is not None:
        return Response(render_customers(Page((), 0, more=False)), media_type=JSON)
    async with runtime.heavy_reads, runtime.database.read() as session:
        if query.page is None:
            page = await list_after_cursor(session, record_query, limit=query.limit)
        else:
            page = await list_page(session, record_query, query.page, limit=query.limit)
    return Response(render_customers(page), media_type=JSON)


@router.get(key_path("customer_id"), response_model=Customer, responses=refusals(401, 403, 404, 429, 500, 503))
async def get_customer(customer_id: str, caller: MayReadCustomers, runtime: OpenRuntime) -> Response:
    """Read a customer by its id or its `source_id`, which must be percent-encoded."""
    async with runtime.database.read() as session:
        row = await find_customer(session, caller.account_id, customer_id)
    if row is None:
        name = shorten_name(customer_id)
        facts = {"resource_id": name, "resource_type": "customer"}
        raise Refused("not_found", f"Cannot find customer with id {name}", facts=facts)
    return Response(msgspec.json.encode(customer_from_record(row)), media_type=JSON)


async def find_customer(session: ReadSession, account_id: int, id: str) -> Mapping[Any, Any] | None:
    """By its id first, because a source_id can look like one."""
    surrogate = RESOURCE.surrogate
    assert surrogate is not None  # noqa: S101  for the type only
    source = normalize_key(Field(surrogate.source, "text"), id)
    for key in (id, key_from_source(surrogate, account_id, source)):
        row = await records.get(session, account_id, TYPE, key)
        if row is not None:
            return row
    return None
