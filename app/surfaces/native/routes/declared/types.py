"""Record types: the built-in ones, an account's custom fields, and the types it declares."""

import asyncio

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.declarations.removal import delete_type
from app.declarations.types import declare_type, load_declarations, load_resource
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared.types import NEW_TYPE, SAMPLE, TYPE_BODY, RecordType, TypeList
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadTypes, MayWriteTypes, OpenRuntime, write_as
from app.web.refusals import refusals
from app.web.responses.downloads import ensure_few_downloads
from app.web.responses.pieces import respond
from app.web.responses.samples import respond_with_sample

router = build_router("/types", "types")


@router.get("", response_model=TypeList, responses=refusals(401, 403, 503))
async def list_types(caller: MayReadTypes, runtime: OpenRuntime) -> Response:
    """List the record types that the account can import: the built-in ones and its own."""
    async with runtime.heavy_reads.turn(caller.account_id):
        ensure_few_downloads(runtime, caller.account_id)
        async with runtime.database.read() as session:
            declarations = await load_declarations(session, caller.account_id)
        body = await asyncio.to_thread(translate.type_list, declarations)
    return respond(runtime, caller.account_id, body, translate.JSON)


@router.get("/{name}", response_model=RecordType, responses=refusals(401, 403, 404, 503))
async def get_type(name: str, caller: MayReadTypes, runtime: OpenRuntime) -> Response:
    """Read a record type with all of its fields."""
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, caller.account_id, name)
    return Response(msgspec.json.encode(translate.record_type(resource)), media_type=translate.JSON)


@router.get("/{name}/sample.csv", response_class=Response, responses=refusals(401, 403, 404, 503) | SAMPLE)
async def download_sample(name: str, caller: MayReadTypes, runtime: OpenRuntime) -> Response:
    """Download a small file to start from; it imports without errors."""
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, caller.account_id, name)
    return respond_with_sample(resource)


@router.put(
    "/{name}",
    response_model=RecordType,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503) | NEW_TYPE,
    openapi_extra=TYPE_BODY,
)
async def put_type(request: Request, name: str, caller: MayWriteTypes, runtime: OpenRuntime) -> Response:
    """Declare a record type, or change it as far as stored records allow. For contacts: the account's custom fields."""
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with runtime.heavy_reads.turn(caller.account_id), write_as(caller, runtime) as session:
        resource, new = await declare_type(session, caller.account_id, name, body)
    return Response(
        msgspec.json.encode(translate.record_type(resource)), 201 if new else 200, media_type=translate.JSON
    )


@router.delete("/{name}", status_code=204, responses=refusals(401, 403, 404, 409, 503))
async def remove_type(name: str, caller: MayWriteTypes, runtime: OpenRuntime) -> Response:
    """Delete a record type of the account. It is refused while there are records of it, or open runs, mapping
    templates, schedules, watched folders or fields of other types that name it: `errors` lists them all."""
    async with write_as(caller, runtime) as session:
        await delete_type(session, caller.account_id, name)
    return Response(status_code=204)
