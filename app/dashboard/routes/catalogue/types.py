"""Record types: what can be imported, and how many records of each there are."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.views.catalogue.types import list_types
from app.dashboard.visitor import MayReadRecords, MayReadTypes
from app.declarations.stored_records import count_stored
from app.declarations.types import build_resources, load_declarations, load_resource
from app.web.caller import OpenRuntime
from app.web.links import base_url
from app.web.responses.samples import respond_with_sample

router = APIRouter(prefix="/app")


@router.get("/records")
async def show_types(request: Request, visitor: MayReadRecords, _: MayReadTypes, runtime: OpenRuntime) -> Response:
    """The built-in types, then those of the account."""
    async with runtime.heavy_reads.turn(visitor.account_id):
        async with runtime.database.read() as session:
            declarations = await load_declarations(session, visitor.account_id)
            counts = await count_stored(session, visitor.account_id)
        resources = await asyncio.to_thread(build_resources, declarations)
    built_in, own = list_types(resources, counts)
    base = base_url(request, runtime)
    return render_page(request, visitor, "records/types.html", built_in=built_in, own=own, base=base)


@router.get("/samples/{type}")
async def download_sample(type: str, visitor: MayReadTypes, runtime: OpenRuntime) -> Response:
    """A small file to start from."""
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, visitor.account_id, type)
    return respond_with_sample(resource)
