"""Connectif's endpoints: create, list, read and delete imports. Each path works with and without a final slash."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.connections.connection import StoredConnection, load_connection
from app.connections.pull import Pull
from app.errors import Complaint, Refused
from app.imports.intake import find_missing, submit
from app.imports.submissions.rerun import build_pull, build_rerun, read_charset, refuse_list
from app.mappings.mapping import Mapping
from app.runs import status
from app.runs.deletion import delete_run
from app.runs.holding.held import cancel_run, resume_run
from app.runs.model import Run
from app.runtime import Runtime
from app.surfaces.connectif import translate
from app.surfaces.connectif.vocabulary import STATUSES
from app.surfaces.connectif.wire import imports as wire
from app.surfaces.connectif.wire.request import (
    FILE_REQUEST,
    FROM_SOURCE,
    RERUN_FROM_SOURCE,
    RERUN_REQUEST,
    RERUN_SOURCE_REQUEST,
    SOURCE_REQUEST,
)
from app.web.admission import admit_import
from app.web.bodies.json_body import read_json_object
from app.web.bodies.mapping_choice import MappingChooser
from app.web.bodies.multipart import is_form
from app.web.bodies.upload import Form, receive_form
from app.web.caller import (
    MayDeleteImports,
    MayReadImports,
    MayWriteImports,
    OpenRuntime,
    ensure_may_replace,
    ensure_scope,
    write_as,
)
from app.web.declared.resuming import RESUME_BODY, parse_approval
from app.web.links import base_url, link_to_same_path
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.requests import request_id

router = APIRouter(tags=["imports"], generate_unique_id_function=operation_id)
JSON = "application/json"
RERUN_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 415, 422, 503)
DECISION_REFUSALS = refusals(401, 403, 404, 409, 410, 503)
RESUME_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 422, 503)
CREATE_REFUSALS = refusals(400, 401, 403, 413, 415, 422, 503)


# Each path takes both bodies. They are described apart, because generators of clients cope with one body a path.
@router.post(
    "/imports/",
    name="create_import_from_source",
    description=FROM_SOURCE,
    status_code=201,
    response_model=wire.Import,
    responses=CREATE_REFUSALS,
    openapi_extra=SOURCE_REQUEST,
)
@router.post(
    "/imports",
    status_code=201,
    response_model=wire.Import,
    responses=CREATE_REFUSALS,
    openapi_extra=FILE_REQUEST,
)
async def create_import(request: Request, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import of a file. Once you have the answer, file and import are safe. Poll `links.self` for progress.

    `POST /imports/` describes the same without a file, as JSON that says where it is. Both paths take both bodies.

    At most 10 imports of an account can be queued or running. The next one is refused with status 400 and code E0401.
    """
    chooser = MappingChooser(runtime, caller)
    async with admit_import(runtime, caller), receive_request(request, runtime, chooser) as sent:
        received = replace(sent, parts=await chooser.fill_type(sent.parts))
        chosen, wrong = await choose_mapping(received, chooser)
        form = translate.parse_form(received, chosen)
        async with runtime.database.read() as session:
            missing = await find_missing(session, caller.account_id, type=form.type, coupon_set=form.coupon_set)
        complaints = (*missing, *wrong, *form.complaints)
        file = form.file
        if form.connection and not complaints:
            connection = await find_connection(runtime, caller, form.connection)
            file = connection.pull(form.path)
        if complaints or file is None:
            raise translate.refuse(complaints)
        submission = form.build_submission(caller, file, request_id=request_id(request))
        ensure_may_replace(caller, replaces=submission.options.replace)
        run = await submit(runtime, submission)
    return await answer_with(request, runtime, run, status_code=201)


@router.post(
    "/imports/{import_id}/rerun/",
    name="rerun_import_from_source",
    description=RERUN_FROM_SOURCE,
    status_code=201,
    response_model=wire.Import,
    responses=RERUN_REFUSALS,
    openapi_extra=RERUN_SOURCE_REQUEST,
)
@router.post(
    "/imports/{import_id}/rerun",
    status_code=201,
    response_model=wire.Import,
    responses=RERUN_REFUSALS,
    openapi_extra=RERUN_REQUEST,
)
async def rerun_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Start an import again: same type, mapping and options, with the file as it is now.

    The file is refused if it lacks a column that the earlier file had, or has a new one that the mapping does not know.
    Where the service fetches the file nothing needs to be sent: see `POST /imports/{import_id}/rerun/`.
    """
    async with admit_import(runtime, caller):
        days = runtime.settings.retention_days
        async with runtime.database.read() as session:
            parent = await status.find_run(session, caller.account_id, import_id, retention_days=days)
        refuse_list(parent)
        async with receive_rerun(request, runtime, parent) as received:
            form = translate.parse_rerun(received, parent)
            file = form.file or await pull_again(runtime, caller, parent)
            sent = request_id(request)
            submission = build_rerun(parent, file, name=form.name, sender=caller.identity, request_id=sent)
            ensure_may_replace(caller, replaces=submission.options.replace)
            run = await submit(runtime, submission)
    return await answer_with(request, runtime, run, status_code=201)


@asynccontextmanager
async def receive_rerun(request: Request, runtime: Runtime, parent: Run) -> AsyncIterator[Form]:
    """A form, JSON, or nothing. Raises Refused as `receive_form` does."""
    if is_form(request):
        async with receive_form(request, runtime, charset=read_charset(parent)) as form:
            yield form
    elif request.headers.get("content-type", JSON).lower().startswith(JSON):
        idle = runtime.settings.upload_idle_seconds
        yield translate.form_from_members(await read_json_object(request, idle=idle, optional=True))
    else:
        detail = "Send multipart/form-data with a `file`, or application/json, or nothing"
        raise Refused("unsupported_media_type", detail)


async def pull_again(runtime: Runtime, caller: Caller, parent: Run) -> Pull:
    """The file that the parent has fetched. Raises Refused: not_allowed, secrets_locked, invalid."""
    source = parent.source or {}
    if not source.get("complete") or "connection_id" not in source:
        return build_pull(parent)
    try:
        connection = await find_connection(runtime, caller, source["connection_id"])
    except Refused as refused:
        if refused.code != "invalid":
            raise
        raise translate.refuse((Complaint("source", f"{refused.detail} any more. Send a `source`"),)) from None
    # The path is that of a file which was there: where a pattern found it, its name may have what makes a pattern.
    return Pull(connection.remote(), source["path"], connection.id)


@asynccontextmanager
async def receive_request(request: Request, runtime: Runtime, chooser: MappingChooser) -> AsyncIterator[Form]:
    """A form with a file, or JSON that says where one is. Raises Refused as `receive_form` does."""
    if is_form(request):
        async with receive_form(request, runtime, chooser.find_encoding) as form:
            yield form
    elif request.headers.get("content-type", "").lower().startswith(JSON):
        yield translate.form_from_json(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    else:
        detail = "Send multipart/form-data with a `file`, or application/json with a `source`"
        raise Refused("unsupported_media_type", detail)


async def choose_mapping(form: Form, chooser: MappingChooser) -> tuple[Mapping | None, tuple[Complaint, ...]]:
    """The mapping that the form chooses, or what is wrong with it. Raises Refused("not_allowed")."""
    try:
        return await chooser.choose(form.parts), ()
    except Refused as wrong:
        if wrong.code != "invalid":
            raise
        return None, wrong.complaints


async def find_connection(runtime: Runtime, caller: Caller, connection_id: str) -> StoredConnection:
    """One of the account's connections. Raises Refused: not_allowed, invalid."""
    ensure_scope(caller, "connections:read")
    async with runtime.database.read() as session:
        try:
            return await load_connection(session, runtime.vault, caller.account_id, connection_id)
        except Refused as missing:
            raise translate.refuse((Complaint("connectionId", missing.detail),)) from None


@router.get("/imports", response_model=wire.ImportList, responses=refusals(401, 403, 422, 503))
@router.get("/imports/", include_in_schema=False)
async def list_imports(
    request: Request, caller: MayReadImports, runtime: OpenRuntime, query: Annotated[wire.ListQuery, Query()]
) -> Response:
    """List the account's imports, newest first."""
    states = None if query.status is None else [state for state, word in STATUSES.items() if word == query.status]
    async with runtime.database.read() as session:
        runs, more = await status.list_imports(
            session, caller.account_id, states=states, type=query.type, page=query.page, size=query.page_size
        )
        statuses = [await status.read_status(session, run) for run in runs]
    filters = query.model_dump(by_alias=True, exclude_unset=True)
    links = translate.build_page_links(
        query.page, more=more, address=lambda number: link_to_same_path(request, runtime, **filters | {"page": number})
    )
    base, days = base_url(request, runtime), runtime.settings.retention_days
    results = [translate.to_wire(each, base=base, retention_days=days) for each in statuses]
    return Response(wire.ImportList(links=links, results=results).encoded(), media_type=JSON)


@router.get("/imports/{import_id}", response_model=wire.Import, responses=refusals(401, 403, 404, 410, 503))
@router.get("/imports/{import_id}/", include_in_schema=False)
async def get_import(request: Request, import_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read an import. Its counts add up at every moment. Until it has ended, `Retry-After` says when to ask again."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)
        return render_import(request, runtime, await status.read_status(session, run))


@router.post(
    "/imports/{import_id}/resume", response_model=wire.Import, responses=RESUME_REFUSALS, openapi_extra=RESUME_BODY
)
@router.post("/imports/{import_id}/resume/", include_in_schema=False)
async def resume_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Let an import that is halted or planned go on where it is, without its brakes. It is queued again.

    Sent twice it does the same as sent once: with `plan`, also if it is halted again in between.
    """
    run = await find_import(runtime, caller, import_id)
    ensure_may_replace(caller, replaces=run.replaces)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    resumed = await resume_run(runtime, write_as(caller, runtime), run, parse_approval(body))
    return await answer_with(request, runtime, resumed)


@router.post("/imports/{import_id}/cancel", response_model=wire.Import, responses=DECISION_REFUSALS)
@router.post("/imports/{import_id}/cancel/", include_in_schema=False)
async def cancel_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """End an import that is halted or planned. What it has written stays, and nothing else is written.

    Sent twice it does the same as sent once.
    """
    run = await find_import(runtime, caller, import_id)
    return await answer_with(request, runtime, await cancel_run(runtime, write_as(caller, runtime), run))


async def find_import(runtime: Runtime, caller: Caller, import_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await status.find_run(session, caller.account_id, import_id, retention_days=days, whole=False)


async def answer_with(request: Request, runtime: Runtime, run: Run, *, status_code: int = 200) -> Response:
    async with runtime.database.read() as session:
        return render_import(request, runtime, await status.read_status(session, run), status_code=status_code)


def render_import(request: Request, runtime: Runtime, current: status.Status, *, status_code: int = 200) -> Response:
    base, days = base_url(request, runtime), runtime.settings.retention_days
    body = translate.to_wire(current, base=base, retention_days=days)
    wait = status.retry_after(current.run)
    headers = {} if wait is None else {"Retry-After": str(int(wait.total_seconds()))}
    return Response(body.encoded(), status_code, headers, JSON)


@router.delete("/imports/{import_id}", status_code=204, responses=refusals(401, 403, 404, 409, 410, 503))
@router.delete("/imports/{import_id}/", include_in_schema=False)
async def delete_import(import_id: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete an import that has ended, with its file and its errors. The records it wrote stay."""
    await delete_run(runtime, caller.account_id, import_id)
    return Response(status_code=204)
