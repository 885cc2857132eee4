"""Cordial's products: list, read, save and delete them, one at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import Refused
from app.imports.plan import Options
from app.imports.single.write import delete_record, write_record
from app.resources.catalog import RESOURCE
from app.resources.field_types import normalize_key
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage import records
from app.surfaces.cordial.translate.products import TYPE, problems_to_refusal, render_product, render_products
from app.surfaces.cordial.wire.errors import refusals
from app.surfaces.cordial.wire.products import PRODUCT_BODY, Product, ProductList, ProductQuery, Saved
from app.surfaces.cordial.wire.shape import Success
from app.web.bodies.json_body import read_exact_object
from app.web.caller import MayDeleteImports, MayReadRecords, MayWriteImports, OpenRuntime
from app.web.links import key_path
from app.web.openapi import operation_id
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond_in_pieces
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(
    prefix="/v2/products", tags=["products"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute
)
JSON = "application/json"


@router.get("", response_model=ProductList, responses=refusals(401, 403, 422, 429, 500, 503))
async def list_products(
    query: Annotated[ProductQuery, Query()], caller: MayReadRecords, runtime: OpenRuntime
) -> Response:
    """List the account's products in the order of their productID."""
    pieces = write_products(runtime, caller.account_id, query)
    return await respond_in_pieces(runtime, caller.account_id, pieces, JSON)


async def write_products(runtime: Runtime, account_id: AccountId, query: ProductQuery) -> AsyncIterator[bytes]:
    """The list. Its length is that of the page, because a shorter page is the last one for clients; so what is large
    comes in pieces."""
    after, offset, left = None, (query.page - 1) * query.per_page, query.per_page
    before = b"["
    while True:
        async with runtime.heavy_reads.turn(account_id, begun=after is not None):
            if after is None:
                ensure_few_downloads(runtime, account_id)
            async with runtime.database.snapshot() as session:
                page = await records.page(
                    session, account_id, TYPE, limit=left, after=after, offset=offset, max_bytes=records.PIECE_BYTES
                )
            piece = await asyncio.to_thread(render_products, account_id, page.rows, query.fields)
        left -= len(page.rows)
        if not page.more or not left:
            yield before + piece + b"]"
            return
        yield before + piece
        after, offset, before = page.rows[-1]["key"], 0, b","


@router.post(
    "",
    response_model=Saved,
    responses=refusals(400, 401, 403, 413, 415, 422, 429, 500, 503),
    openapi_extra=PRODUCT_BODY,
)
async def save_product(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Create a product, or update the fields that are sent of an existing one. Lists are merged by position."""
    body = await read_exact_object(request, idle=runtime.settings.upload_idle_seconds)
    options = Options(blank_cells="empty")
    written = await write_record(runtime, caller.account_id, TYPE, body, options, sender=caller.identity)
    if written.problems:
        raise problems_to_refusal(written.problems)
    saved = Saved(success=True, message="product created" if written.created else "product updated")
    return Response(saved.encoded(), media_type=JSON)


@router.get(key_path("product_id"), response_model=Product, responses=refusals(401, 403, 404, 422, 429, 500, 503))
async def get_product(
    product_id: str, caller: MayReadRecords, runtime: OpenRuntime, fields: Annotated[str | None, Query()] = None
) -> Response:
    """Read a product by its productID, which must be percent-encoded."""
    async with runtime.database.read() as session:
        row = await records.get(session, caller.account_id, TYPE, normalize_id(product_id))
    if row is None:
        raise Refused("not_found", "There is no product with this productID")
    return Response(await asyncio.to_thread(render_product, caller.account_id, row, fields), media_type=JSON)


@router.delete(key_path("product_id"), response_model=Success, responses=refusals(401, 403, 404, 429, 500, 503))
async def delete_product(product_id: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete a product. A running import that has yet to reach it creates it again."""
    keys = [normalize_id(product_id)]
    if not await delete_record(runtime, caller.account_id, TYPE, keys, sender=caller.identity):
        raise Refused("not_found", "There is no product with this productID")
    return Response(Success(success=True).encoded(), media_type=JSON)


def normalize_id(product_id: str) -> str:
    field = RESOURCE.field(RESOURCE.keys[0])
    assert field is not None  # noqa: S101  for the type only
    return normalize_key(field, product_id)
