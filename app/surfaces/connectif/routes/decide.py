"""What somebody decides about an import: it goes on, is cancelled or deleted."""

from fastapi import Request
from fastapi.responses import Response

from app.runs.deletion import delete_run
from app.runs.holding.held import commit_plan, resume_run
from app.surfaces.connectif.routes.answers import answer_with, build_router, find_import
from app.surfaces.connectif.wire import imports as wire
from app.web.bodies.json_body import read_json_object
from app.web.caller import (
    MayDeleteImports,
    MayWriteImports,
    OpenRuntime,
    ensure_may_replace,
    write_as,
)
from app.web.declared.resuming import RESUME_BODY, parse_approval
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.runs.cancelling import cancel_for

router = build_router()
CANCEL_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 422, 503)
RESUME_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 422, 503)


@router.post(
    "/imports/{import_id}/resume", response_model=wire.Import, responses=RESUME_REFUSALS, openapi_extra=RESUME_BODY
)
async def resume_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Let an import that is halted or planned go on where it is, without its brakes. It is queued again.

    Sent twice it does the same as sent once: with `plan`, also if it is halted again in between.
    """
    run = await find_import(runtime, caller, import_id)
    ensure_may_replace(caller, replaces=run.replaces)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    resumed = await resume_run(runtime, write_as(caller, runtime), run, parse_approval(body))
    return await answer_with(request, runtime, resumed)


@router.post(
    "/imports/{import_id}/commit", response_model=wire.Import, responses=RESUME_REFUSALS, openapi_extra=RESUME_BODY
)
async def commit_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Let an import that was started with `dryRun` write what it has shown. It is queued again.

    If others have changed one of its records since, nothing is written: the import is halted, tells the differences,
    and has to be committed with the number of its new `plan`. Sent twice it does the same as sent once.
    """
    run = await find_import(runtime, caller, import_id)
    ensure_may_replace(caller, replaces=run.replaces)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    committed = await commit_plan(runtime, write_as(caller, runtime), run, parse_approval(body))
    return await answer_with(request, runtime, committed)


@router.post("/imports/{import_id}/cancel", response_model=wire.Import, responses=CANCEL_REFUSALS)
async def cancel_import(
    request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime, *, undo: bool = False
) -> Response:
    """Cancel an import that waits, runs or is held. What it has written stays, and nothing else is written.

    A batch that is being committed counts, and a transfer is broken off within a second or two. `failure` says what was
    written.

    With `undo` what it has written is taken back by an undo that begins at once: `undoneBy` names it. That needs
    `imports:delete`, too.

    Sent twice it does the same as sent once. What has ended otherwise is refused with 409.
    """
    run = await find_import(runtime, caller, import_id)
    sent = request_id(request)
    return await answer_with(request, runtime, await cancel_for(caller, runtime, run, undo=undo, request_id=sent))


@router.delete("/imports/{import_id}", status_code=204, responses=refusals(401, 403, 404, 409, 410, 503))
async def delete_import(import_id: str, caller: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """Delete an import that has ended, with its file and its errors. The records it wrote stay."""
    await delete_run(runtime, caller.account_id, import_id)
    return Response(status_code=204)
