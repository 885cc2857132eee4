"""Record types: the built-in ones, an account's custom fields, and the types it declares."""

from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.errors import Refused
from app.imports.types import resource_for, resource_from
from app.resources.declare import contradictions, declaration, declared
from app.resources.declared_fields import field_json
from app.resources.registry import BUILT_IN
from app.resources.sample import sample_csv
from app.resources.vocabulary import Resource
from app.storage import records, types
from app.storage.database import ReadSession
from app.surfaces.native import translate, wire
from app.surfaces.native.vocabulary import EXTENSIBLE
from app.web.bodies.json_body import json_object
from app.web.caller import MayReadTypes, MayWriteTypes, Opened
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.surface import spelled

router = APIRouter(prefix="/types", tags=["types"], generate_unique_id_function=operation_id)


@router.get("", response_model=wire.TypeList, responses=refusals(401, 403, 503))
@router.get("/", include_in_schema=False)
async def list_types(caller: MayReadTypes, runtime: Opened) -> Response:
    """List the record types that the account can import: the built-in ones and its own."""
    async with runtime.database.read() as session:
        own = {row["name"]: row["declaration"] for row in await types.all_of(session, caller.account_id)}
    found = [resource_from(name, own.get(name)) for name in (*BUILT_IN, *sorted(own.keys() - BUILT_IN.keys()))]
    body = {"links": {}, "results": [shown(each) for each in found]}
    return Response(msgspec.json.encode(body), media_type=translate.JSON)


@router.get("/{name}", response_model=wire.RecordType, responses=refusals(401, 403, 404, 503))
@router.get("/{name}/", include_in_schema=False)
async def get_type(name: str, caller: MayReadTypes, runtime: Opened) -> Response:
    """Read a record type with all of its fields."""
    async with runtime.database.read() as session:
        resource, _ = await resource_for(session, caller.account_id, name)
    return Response(msgspec.json.encode(shown(resource)), media_type=translate.JSON)


def shown(resource: Resource) -> dict[str, object]:
    """As wire.RecordType."""
    return {"name": resource.name, "builtIn": resource.name in BUILT_IN, **declaration(resource)}


@router.get("/{name}/sample.csv", response_class=Response, responses=refusals(401, 403, 404, 503) | wire.SAMPLE)
@router.get("/{name}/sample.csv/", include_in_schema=False)
async def download_sample(name: str, caller: MayReadTypes, runtime: Opened) -> Response:
    """Download a small file that imports without an error, to begin with."""
    async with runtime.database.read() as session:
        resource, _ = await resource_for(session, caller.account_id, name)
    headers = {"Content-Disposition": f'attachment; filename="{quote(name, safe="")}-sample.csv"'}
    return Response(sample_csv(resource), headers=headers, media_type="text/csv; charset=utf-8")


@router.put(
    "/{name}",
    response_model=wire.RecordType,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503) | wire.MADE_TYPE,
    openapi_extra=wire.TYPE_BODY,
)
@router.put("/{name}/", include_in_schema=False)
async def put_type(request: Request, name: str, caller: MayWriteTypes, runtime: Opened) -> Response:
    """Declare a record type, or change it as far as stored records allow. For contacts: the account's custom fields."""
    body = without_known(name, await json_object(request, idle=runtime.settings.upload_idle_seconds))
    wanted = resource_from(name, body) if name in EXTENSIBLE else declared(name, body)
    async with runtime.database.transaction() as session:
        await types.hold(session, caller.account_id)
        before = await types.get(session, caller.account_id, name)
        await refuse_contradictions(session, caller, wanted, before)
        new = await types.put(session, caller.account_id, name, body)
    return Response(msgspec.json.encode(shown(wanted)), 201 if new else 200, media_type=translate.JSON)


def without_known(name: str, body: dict[str, object]) -> dict[str, object]:
    """What was read may be sent back as it is: of a built-in type without all that it has of its own."""
    body = {member: value for member, value in body.items() if member not in ("name", "builtIn")}
    if name not in EXTENSIBLE:
        return body
    own = declaration(BUILT_IN[name])
    body = {member: value for member, value in body.items() if member not in own or own[member] != value}
    fields = body.get("fields")
    if isinstance(fields, list):
        known = [field_json(field) for field in BUILT_IN[name].fields]
        body["fields"] = [field for field in fields if field not in known]
    return body


async def refuse_contradictions(session: ReadSession, caller: Caller, wanted: Resource, before: object | None) -> None:
    """Raises Refused("type_in_use") when stored records, or those that open imports are yet to write, would
    not fit the new declaration."""
    if before is None and wanted.name not in BUILT_IN:
        return
    wrong = contradictions(resource_from(wanted.name, before), wanted)
    if not wrong:
        return
    if await records.any_of(session, caller.account_id, wanted.name):
        raise Refused("type_in_use", f"There are records of the type {wanted.name!r}: {spelled(wrong)}", wrong)
    if await types.any_open_run(session, caller.account_id, wanted.name):
        told = f"Imports of the type {wanted.name!r} have not ended: {spelled(wrong)}"
        raise Refused("type_in_use", told, wrong)
