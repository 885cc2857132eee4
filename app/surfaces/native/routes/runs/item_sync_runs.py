"""Runs of item syncs: started and listed. What came of one is read as that of any run."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.runs import status
from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.status import RunQuery
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.run_items import encode_runs, render_item
from app.surfaces.native.wire.runs import RunItem, RunList
from app.syncs.intake import SyncRequest, submit_sync
from app.syncs.stored import load_sync
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadSyncs, MayWriteSyncs, OpenRuntime
from app.web.declared.item_syncs import SYNC_RUN_BODY, parse_run
from app.web.links import base_url, link_to_same_path
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.responses.tags import has_already, not_modified
from app.web.runs.polling import LIST_POLL, UNCHANGED, describe_run, tag_of_list
from app.web.runs.reading import decode_run_cursor, encode_run_cursor
from app.web.runs.waits import look_for_workers_of_all

router = build_router("/item-syncs/{sync_id}/runs", "item syncs")
LIST_ANSWERS = refusals(401, 403, 404, 422, 503) | UNCHANGED


async def render_started(request: Request, runtime: Runtime, session: ReadSession, runs: Sequence[Run]) -> Response:
    current = await status.read_status(session, runs[0])
    item = render_item(request, runtime, current)
    return Response(item.encoded(), 201, describe_run(current), translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=RunItem,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=SYNC_RUN_BODY,
)
@once(render_started)
async def run_item_sync(request: Request, sync_id: str, caller: MayWriteSyncs, runtime: OpenRuntime) -> Response:
    """Run an item sync. One run of it can be open at a time. The mode full removes records, and needs `imports:delete`,
    too."""
    async with runtime.database.read() as session:  # what is not there is refused before the body is read
        sync = await load_sync(session, caller.account_id, sync_id)
    given = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    body = parse_run(caller, sync, given)
    wanted = SyncRequest(
        account_id=caller.account_id,
        sync_id=sync_id,
        created_by=caller.id,
        mode=body.mode or sync.declaration.settings.mode,  # which the caller may run, whatever becomes of it
        dry_run=body.dry_run,
        request_id=request_id(request),
        sender=caller.identity,
    )
    run = await submit_sync(runtime, wanted)
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])


@router.get("", response_model=RunList, responses=LIST_ANSWERS, openapi_extra=LIST_POLL)
async def list_item_sync_runs(
    request: Request,
    sync_id: str,
    caller: MayReadSyncs,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """List the runs of an item sync, newest first, each with what its report counts."""
    wanted = RunQuery([Kind.SYNC], {"sync_id": sync_id}, after=decode_run_cursor(cursor))
    async with runtime.database.read() as session:
        await load_sync(session, caller.account_id, sync_id)
        found, more = await status.list_accepted(session, caller.account_id, wanted, limit=limit)
    found = await look_for_workers_of_all(runtime, found)
    tag = tag_of_list(found, more)
    if has_already(request, tag):
        return not_modified(tag)
    following = encode_run_cursor(found[-1].run) if more else None
    next_page = link_to_same_path(request, runtime, limit=limit, cursor=following) if more else None
    base, days = base_url(request, runtime), runtime.settings.retention_days
    body = await encode_runs(found, next_page, base=base, retention_days=days, undo_days=runtime.settings.undo_days)
    return Response(body, headers={"ETag": tag}, media_type=translate.JSON)
