"""Imports the failed rows of an import once more."""

from fastapi import Request
from fastapi.responses import Response

from app.imports.submissions.retry import ensure_retriable, submit_retry
from app.runs import status
from app.surfaces.connectif import translate
from app.surfaces.connectif.routes.answers import build_router, render_started
from app.surfaces.connectif.routes.received import receive_again
from app.surfaces.connectif.wire import imports as wire
from app.surfaces.connectif.wire.request import RETRY_REQUEST
from app.web.admission import admit_import
from app.web.caller import MayWriteImports, OpenRuntime, ensure_may_replace
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id

router = build_router()


@router.post(
    "/imports/{import_id}/retry",
    status_code=201,
    response_model=wire.Import,
    responses=refusals(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    openapi_extra=RETRY_REQUEST,
)
@once(render_started)
async def retry_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Import the failed rows once more: as they are, after the type was changed for instance, or with a `file` in which
    they are corrected.

    That is a new import with the type as it is now, the mapping and the options of the earlier one, and the `relation`
    retry. It replaces nothing, but the retry of an import with `mode` delete deletes, and needs the scope
    `imports:delete`. `family` tells what both come to.
    """
    async with admit_import(runtime, caller):
        days = runtime.settings.retention_days
        async with runtime.database.read() as session:
            parent = await status.find_run(session, caller.account_id, import_id, retention_days=days)
        ensure_may_replace(caller, replaces=parent.deletes)
        ensure_retriable(parent)
        async with receive_again(request, runtime, parent) as received:
            form = translate.parse_retry(received)
            sent = request_id(request)
            run = await submit_retry(
                runtime, parent, form.file, name=form.name, sender=caller.identity, request_id=sent
            )
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])
