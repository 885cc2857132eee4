"""Connectif's endpoints: create, read, list and delete imports; each path with and without a slash at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.connections.declaration import pull_of
from app.connections.pull import Pull
from app.connections.stored import connection_of
from app.declarations.types import load_resource
from app.errors import Complaint, Refused
from app.imports.intake import submit
from app.runs import status
from app.runs.deletion import delete_run
from app.runtime import Runtime
from app.storage import coupon_sets
from app.storage.database import ReadSession
from app.surfaces.connectif import translate, wire
from app.surfaces.connectif.vocabulary import STATUSES
from app.web.admission import admit_import
from app.web.bodies.json_body import read_json_object
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import Form, receive_form
from app.web.caller import MayDeleteImports, MayReadImports, MayWriteImports, OpenRuntime
from app.web.links import base_url, link_to_same_path
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.surface import shorten

router = APIRouter(tags=["imports"], generate_unique_id_function=operation_id)
JSON = "application/json"


@router.post(
    "/imports",
    status_code=201,
    response_model=wire.Import,
    responses=refusals(400, 401, 403, 413, 415, 422, 503),
    openapi_extra=wire.REQUEST_BODY,
)
@router.post("/imports/", include_in_schema=False)
async def create_import(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import of a file. The answer comes when file and import are safe; poll `links.self` for its progress.

    Without a file the same may be sent as `application/json`: `connectionId` and `path`, or `source` as an object, and
    true and false as they are. The service fetches the file then.

    At most 10 imports of an account may wait or run at a time; the next is refused with status 400 and code E0401.
    """
    async with admit_import(runtime, caller), formed(request, runtime) as form:
        asked = translate.asked(form)
        async with runtime.database.read() as session:
            complaints = (*await unknown(session, caller, asked), *asked.complaints)
        file = form.upload or asked.pull
        if asked.connection and not complaints:
            file = await pulled(runtime, caller, asked)
        if complaints or file is None:
            raise translate.invalid(complaints)
        wanted = translate.submission(caller.account_id, asked, file, request_id=request_id(request))
        run = await submit(runtime, wanted)
    async with runtime.database.read() as session:
        return answer(request, runtime, await status.read_status(session, run), status_code=201)


@asynccontextmanager
async def formed(request: Request, runtime: Runtime) -> AsyncIterator[Form]:
    """What was sent: a form with a file, or JSON that says where one is."""
    if is_form(request):
        async with receive_form(request, runtime) as form:
            yield form
    elif request.headers.get("content-type", "").lower().startswith(JSON):
        yield translate.form_of(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    else:
        raise Refused(
            "unsupported_media_type", "Send multipart/form-data with a file, or application/json with a source"
        )


async def pulled(runtime: Runtime, caller: Caller, asked: translate.Asked) -> Pull:
    """A file of one of the account's connections; its worker fetches it. Raises Refused: not_allowed, invalid."""
    if not caller.has_scope("connections:read"):
        raise Refused("not_allowed", "The API key lacks the scope connections:read")
    async with runtime.database.read() as session:
        try:
            _, connection = await connection_of(session, runtime, caller.account_id, asked.connection or "")
        except Refused as missing:
            raise translate.invalid((Complaint("connectionId", missing.detail),)) from None
    return pull_of(connection, asked.path)


async def unknown(session: ReadSession, caller: Caller, asked: translate.Asked) -> tuple[Complaint, ...]:
    """What the form names and the account does not have."""
    found = []
    if asked.type is not None:
        try:
            await load_resource(session, caller.account_id, shorten(asked.type))
        except Refused as missing:
            found.append(Complaint("type", missing.detail))
    if asked.coupon_set and not await coupon_sets.exists(session, caller.account_id, asked.coupon_set):
        found.append(Complaint("couponSetId", f"There is no coupon set {shorten(asked.coupon_set)!r}"))
    return tuple(found)


@router.get("/imports", response_model=wire.ImportList, responses=refusals(401, 403, 422, 503))
@router.get("/imports/", include_in_schema=False)
async def list_imports(
    request: Request, caller: MayReadImports, runtime: OpenRuntime, asked: Annotated[wire.ListQuery, Query()]
) -> Response:
    """List the account's imports, newest first."""
    states = None if asked.status is None else [state for state, word in STATUSES.items() if word == asked.status]
    async with runtime.database.read() as session:
        runs, more = await status.list_imports(
            session, caller.account_id, states=states, type=asked.type, page=asked.page, size=asked.page_size
        )
        found = [await status.read_status(session, run) for run in runs]
    filters = asked.model_dump(by_alias=True, exclude_unset=True)
    links = translate.page_links(
        asked.page, more=more, address=lambda number: link_to_same_path(request, runtime, **filters | {"page": number})
    )
    base, days = base_url(request, runtime), runtime.settings.retention_days
    shown = [translate.shown(each, base=base, retention_days=days) for each in found]
    return Response(wire.ImportList(links=links, results=shown).encoded(), media_type=JSON)


@router.get("/imports/{import_id}", response_model=wire.Import, responses=refusals(401, 403, 404, 410, 503))
@router.get("/imports/{import_id}/", include_in_schema=False)
async def get_import(request: Request, import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read an import. Its counts are true at every moment; until it has ended, `Retry-After` says when to ask again."""
    async with runtime.database.read() as session:
        run = await status.find_run(
            session, caller.account_id, import_id, retention_days=runtime.settings.retention_days
        )
        return answer(request, runtime, await status.read_status(session, run))


def answer(request: Request, runtime: Runtime, now: status.Status, *, status_code: int = 200) -> Response:
    shown = translate.shown(now, base=base_url(request, runtime), retention_days=runtime.settings.retention_days)
    wait = status.retry_after(now.run)
    headers = {} if wait is None else {"Retry-After": str(int(wait.total_seconds()))}
    return Response(shown.encoded(), status_code, headers, JSON)


@router.delete("/imports/{import_id}", status_code=204, responses=refusals(401, 403, 404, 409, 410, 503))
@router.delete("/imports/{import_id}/", include_in_schema=False)
async def delete_import(import_id: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete an import that has ended, with its file and its errors. The records that it wrote stay."""
    await delete_run(runtime, caller.account_id, import_id)
    return Response(status_code=204)
