"""Voucherify's customers: list them, and read one by its id or its source_id."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.errors import Refused, shorten_name
from app.resources.customers import RESOURCE
from app.resources.field_types import normalize_key
from app.resources.schema import Field
from app.resources.stored_keys import key_from_source
from app.runtime import Runtime
from app.storage import records
from app.storage.database import ReadSession
from app.storage.listing import Page, RecordQuery, list_after_cursor, list_page
from app.surfaces.voucherify.routes.caller import MayReadCustomers
from app.surfaces.voucherify.translate.customers import begin_list, build_record_query, end_list, render_customer
from app.surfaces.voucherify.wire.customers import Customer, CustomerList, CustomerQuery
from app.surfaces.voucherify.wire.errors import refusals
from app.web.caller import OpenRuntime
from app.web.links import key_path
from app.web.openapi import operation_id
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond_in_pieces
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(
    prefix="/v1/customers", tags=["customers"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute
)
JSON = "application/json"
TYPE: Final = RESOURCE.name


@router.get("", response_model=CustomerList, responses=refusals(400, 401, 403, 429, 500, 503))
async def list_customers(
    query: Annotated[CustomerQuery, Query()], caller: MayReadCustomers, runtime: OpenRuntime
) -> Response:
    """List the account's customers, newest first.

    Go through all of them with `starting_after`. A page can then be longer than `limit`, by the customers that were
    created at the same time as its last one. With `page` it never is.
    """
    record_query = build_record_query(query, caller.account_id)
    pieces = write_customers(runtime, query, record_query)
    return await respond_in_pieces(runtime, caller.account_id, pieces, JSON)


async def write_customers(runtime: Runtime, query: CustomerQuery, search: RecordQuery) -> AsyncIterator[bytes]:
    """The list. Its length is that of the page, because the next one begins behind it; so what is large comes in
    pieces."""
    async with runtime.heavy_reads.turn(search.account_id):
        ensure_few_downloads(runtime, search.account_id)
        async with runtime.database.read() as session:
            page = await find_page(session, query, search)
        at_once = [row for row in page.rows if row["data"] is not None]
        piece = await asyncio.to_thread(begin_list, at_once)
    before = b"," if at_once else b""
    for row in page.rows[len(at_once) :]:
        yield piece
        piece = await write_customer(runtime, search.account_id, row["key"])
        piece, before = before + piece if piece else b"", b"," if piece else before
    yield piece + end_list(page)


async def find_page(session: ReadSession, query: CustomerQuery, search: RecordQuery) -> Page:
    if query.segment_id is not None:
        return Page((), 0, more=False)
    if query.page is None:
        return await list_after_cursor(session, search, limit=query.limit)
    return await list_page(session, search, query.page, limit=query.limit)


async def write_customer(runtime: Runtime, account_id: int, key: str) -> bytes:
    """A customer of a list that has begun; b"" if it was deleted meanwhile."""
    async with runtime.heavy_reads.turn(account_id, begun=True):
        async with runtime.database.read() as session:
            row = await records.get(session, account_id, TYPE, key)
        return b"" if row is None else await asyncio.to_thread(render_customer, row)


@router.get(key_path("customer_id"), response_model=Customer, responses=refusals(401, 403, 404, 429, 500, 503))
async def get_customer(customer_id: str, caller: MayReadCustomers, runtime: OpenRuntime) -> Response:
    """Read a customer by its id or its `source_id`, which must be percent-encoded."""
    async with runtime.database.read() as session:
        row = await find_customer(session, caller.account_id, customer_id)
    if row is None:
        name = shorten_name(customer_id)
        facts = {"resource_id": name, "resource_type": "customer"}
        raise Refused("not_found", f"Cannot find customer with id {name}", facts=facts)
    return Response(await asyncio.to_thread(render_customer, row), media_type=JSON)


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
