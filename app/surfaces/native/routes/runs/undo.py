"""Takes back what a run has changed in the records."""

from collections.abc import Sequence
from typing import Final, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import Field

from app.auth.caller import Caller
from app.runs import status
from app.runs.changes.undoable import scopes_to_undo
from app.runs.kinds import Kind
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.run_items import render_item
from app.surfaces.native.wire.changes import RecordName, UndoPreview
from app.surfaces.native.wire.runs import RunItem
from app.undo.intake import preview_undo, submit_undo
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayWriteImports, MayWriteRuns, OpenRuntime, ensure_scope, write_as
from app.web.declared.shape import SentShape, json_body
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.surface import parse_shape

router = build_router("", "runs")
UNDO_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 422, 429, 503)


class UndoBody(SentShape):
    """What an undo may say."""

    dry_run: bool = Field(default=False, description="Only tell what it would do, with status 200")


UNDO_BODY: Final = json_body(UndoBody, {"dryRun": True}, required=False)
PREVIEW: Final[dict[int | str, dict[str, object]]] = {
    200: {"model": UndoPreview, "description": "With `dryRun`: what it would do. Nothing is written"}
}


async def render_started(request: Request, runtime: Runtime, session: ReadSession, runs: Sequence[Run]) -> Response:
    item = render_item(request, runtime, await status.read_status(session, runs[0]))
    return Response(item.encoded(), 201, {"Retry-After": "1"}, translate.JSON)


@router.post(
    "/imports/{import_id}/undo",
    status_code=201,
    response_model=RunItem,
    responses=UNDO_REFUSALS | PREVIEW,
    openapi_extra=UNDO_BODY,
)
@once(render_started)
async def undo_import(request: Request, import_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Undo an import that has ended: remove the records that it has created, and restore those that it has changed or
    removed. What another writer has changed since is left alone, and listed.

    An undo is a run, to be followed at `links.self`, and can be undone itself. Asked for twice it is done once. An
    import that has created or removed records needs `imports:delete`, too.
    """
    return await undo_run(request, caller, runtime, await find_ended(runtime, caller, import_id, Kind.IMPORT))


@router.post(
    "/runs/{run_id}/undo",
    status_code=201,
    response_model=RunItem,
    responses=UNDO_REFUSALS | PREVIEW,
    openapi_extra=UNDO_BODY,
)
@once(render_started)
async def undo_any_run(request: Request, run_id: str, caller: MayWriteRuns, runtime: OpenRuntime) -> Response:
    """Undo an import, an item sync or an undo that has ended, as `POST /imports/{import_id}/undo` does.

    Needs the scope that starts runs of its kind, and `imports:delete` if it has created or removed records.
    """
    return await undo_run(request, caller, runtime, await find_ended(runtime, caller, run_id, None))


async def find_ended(runtime: Runtime, caller: Caller, run_id: str, kind: Literal[Kind.IMPORT] | None) -> Run:
    """Raises Refused: not_allowed, not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, run_id, kind=kind, retention_days=days, whole=False)
    for scope in scopes_to_undo(run):
        ensure_scope(caller, scope)
    return run


async def undo_run(request: Request, caller: Caller, runtime: Runtime, run: Run) -> Response:
    given = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    if parse_shape(UndoBody, given).dry_run:
        return await answer_preview(caller, runtime, run)
    opening = write_as(caller, runtime)
    undo = await submit_undo(runtime, opening, run, sender=caller.identity, request_id=request_id(request))
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [undo])


async def answer_preview(caller: Caller, runtime: Runtime, run: Run) -> Response:
    async with runtime.heavy_reads.turn(caller.account_id):
        seen = await preview_undo(runtime, run)
    body = UndoPreview(
        dry_run=True,
        total=seen.total,
        removed=seen.removed,
        restored=seen.restored,
        put_back=seen.put_back,
        same=seen.same,
        left_alone=seen.left_alone,
        examples=[RecordName(type=each.type, key=each.key, row=each.row) for each in seen.examples],
    )
    return Response(body.encoded(), media_type=translate.JSON)
