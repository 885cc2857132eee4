"""Imports failed rows of an import again, with their values corrected."""

from fastapi import Request
from fastapi.responses import Response

from app.imports.corrections.correction import parse_corrections
from app.imports.corrections.submission import submit_corrected
from app.runs import status
from app.surfaces.connectif.routes.answers import build_router, render_started
from app.surfaces.connectif.wire import imports as wire
from app.web.admission import admit_import
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayWriteImports, OpenRuntime, ensure_may_replace
from app.web.declared.corrections import CORRECTIONS_BODY
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id

router = build_router()


@router.post(
    "/imports/{import_id}/corrections",
    status_code=201,
    response_model=wire.Import,
    responses=refusals(400, 401, 403, 404, 409, 410, 413, 422, 503),
    openapi_extra=CORRECTIONS_BODY,
)
@once(render_started)
async def correct_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Import the failed rows that the corrections are about again, with the corrections made.

    That is a new import with the same type, mapping and options, with `parentId` and the `relation` correction. It has
    the rows that fail in a column which a correction names: with `from` those with that value, with `row` that row,
    with `code` those that fail for that. Rows that could not be read have no cells to correct. It replaces nothing, but
    of an import with `mode` delete it deletes, and needs the scope `imports:delete`.
    """
    async with admit_import(runtime, caller):
        days = runtime.settings.retention_days
        async with runtime.database.read() as session:
            parent = await status.find_run(session, caller.account_id, import_id, retention_days=days)
        ensure_may_replace(caller, replaces=parent.deletes)
        wanted = parse_corrections(await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
        run = await submit_corrected(
            runtime,
            parent,
            wanted.corrections,
            name=wanted.name,
            sender=caller.identity,
            request_id=request_id(request),
        )
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])
