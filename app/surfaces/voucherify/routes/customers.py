"""Voucherify's customers: one by its id or the caller's own, and lists of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.errors import Refused
from app.imports.checking.record_keys import key_from_source
from app.resources.cells import normalize_key
from app.resources.customers import RESOURCE
from app.resources.schema import Field
from app.storage import records
from app.storage.database import ReadSession
from app.storage.listing import Page, list_after_cursor, list_page
from app.surfaces.voucherify.routes.caller import MayReadCustomers
from app.surfaces.voucherify.translate.customers import customer, customer_list, wanted
from app.surfaces.voucherify.wire.customers import Customer, CustomerList, CustomersAsked
from app.surfaces.voucherify.wire.errors import refusals
from app.web.caller import OpenRuntime
from app.web.openapi import operation_id
from app.web.surface import shorten

router = APIRouter(prefix="/v1/customers", tags=["customers"], generate_unique_id_function=operation_id)
JSON = "application/json"
TYPE: Final = RESOURCE.name


@router.get("", response_model=CustomerList, responses=refusals(400, 401, 403, 429, 500, 503))
@router.get("/", include_in_schema=False)
async def list_customers(
    asked: Annotated[CustomersAsked, Query()], caller: MayReadCustomers, runtime: OpenRuntime
) -> Response:
    """List the account's customers, newest first.

    Go through all of them with `starting_after`. A page may then be longer than `limit`, by customers that share their
    moment with its last one; with `page` it never is.
    """
    chosen = wanted(asked, caller.account_id)
    if asked.segment_id is not None:
        return Response(customer_list(Page((), 0, more=False)), media_type=JSON)
    async with runtime.heavy_reads, runtime.database.read() as session:
        if asked.page is None:
            page = await list_after_cursor(session, chosen, limit=asked.limit)
        else:
            page = await list_page(session, chosen, asked.page, limit=asked.limit)
    return Response(customer_list(page), media_type=JSON)


@router.get("/{customer_id:path}", response_model=Customer, responses=refusals(401, 403, 404, 429, 500, 503))
async def get_customer(customer_id: str, caller: MayReadCustomers, runtime: OpenRuntime) -> Response:
    """Read a customer by its id or by its `source_id`, percent-encoded."""
    async with runtime.database.read() as session:
        row = await find(session, caller.account_id, customer_id)
    if row is None:
        named = shorten(customer_id)
        facts = {"resource_id": named, "resource_type": "customer"}
        raise Refused("not_found", f"Cannot find customer with id {named}", facts=facts)
    return Response(msgspec.json.encode(customer(row)), media_type=JSON)


async def find(session: ReadSession, account_id: int, named: str) -> Mapping[Any, Any] | None:
    """An id comes first: a source_id may look like one."""
    surrogate = RESOURCE.surrogate
    assert surrogate is not None  # noqa: S101  for the type only
    source = normalize_key(Field(surrogate.source, "text"), named)
    for key in (named, key_from_source(surrogate, account_id, source)):
        row = await records.get(session, account_id, TYPE, key)
        if row is not None:
            return row
    return None
