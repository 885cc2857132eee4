"""Starts an import again, with the file as it is now."""

from dataclasses import replace

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.connections.pull import Pull
from app.errors import Complaint, Refused
from app.imports.intake import submit
from app.imports.submissions.rerun import build_pull, build_rerun, refuse_list
from app.runs import status
from app.runs.model import Run
from app.runtime import Runtime
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import build_router, render_started
from app.surfaces.connectif.routes.received import find_connection, read_dry_run, receive_again
from app.surfaces.connectif.wire import imports as wire
from app.surfaces.connectif.wire.request import (
    RERUN_FROM_SOURCE,
    RERUN_REQUEST,
    RERUN_SOURCE_REQUEST,
)
from app.web.admission import admit_import
from app.web.caller import (
    MayWriteImports,
    OpenRuntime,
    ensure_may_replace,
)
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id

router = build_router()
RERUN_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 415, 422, 503)


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
@once(render_started)
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
        async with receive_again(request, runtime, parent) as received:
            given = replace(received, parts={**received.parts, **read_dry_run(request)})
            form = translate.parse_rerun(given, parent)
            file = form.file or await pull_again(runtime, caller, parent)
            sent = request_id(request)
            submission = build_rerun(
                parent, file, name=form.name, sender=caller.identity, request_id=sent, dry_run=form.dry_run
            )
            ensure_may_replace(caller, replaces=submission.options.removes)
            run = await submit(runtime, submission)
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])


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
