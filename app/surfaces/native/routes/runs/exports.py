"""Exports: started, read, downloaded and deleted."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.exports import retry
from app.exports.intake import repeat_export, submit_export
from app.mappings.mapping import DEFAULT
from app.runs.deletion import delete_run
from app.runs.holding.cancellation import cancel_run
from app.runs.kinds import Kind
from app.runs.model import AccountId, Run
from app.runs.states import State
from app.runs.status import RunQuery, Status, find_run, list_accepted, look_up_run, look_up_status, read_status
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.runs import Filter
from app.surfaces.native import exports, translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.exports import (
    EXPORT_FILE,
    EXPORT_RERUN_BODY,
    Export,
    ExportList,
    ExportRerunBody,
)
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadConnections, MayReadExports, MayWriteExports, OpenRuntime, write_as
from app.web.declared.exports import EXPORT_BODY, ExportBody, build_request, ensure_may_export
from app.web.links import base_url, link_to_same_path
from app.web.once.route import once
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.responses.export_file import respond_with_export
from app.web.responses.tags import has_already, not_modified
from app.web.runs.polling import LIST_POLL, POLL, UNCHANGED, begin_poll, describe_run, tag_of_list
from app.web.runs.reading import decode_run_cursor, encode_run_cursor
from app.web.runs.waits import look_for_workers, look_for_workers_of_all
from app.web.surface import parse_shape

router = build_router("/exports", "exports")


async def render_started(request: Request, runtime: Runtime, session: ReadSession, runs: Sequence[Run]) -> Response:
    return render_export(request, runtime, await read_status(session, runs[0]), status_code=201)


@router.post(
    "",
    status_code=201,
    response_model=Export,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=EXPORT_BODY,
)
@once(render_started)
async def create_export(request: Request, caller: MayWriteExports, runtime: OpenRuntime) -> Response:
    """Start an export of all records of a type. At most 5 exports of an account wait or run at a time.

    The file has every field under its id, and one row for each record, in the order of their keys. It is written from
    one moment: what changes meanwhile is not in it. With `destinations` it is then delivered to other servers, which
    requires the scope `connections:read` as well. A mapping template requires `mappings:read`.
    """
    body = parse_shape(ExportBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    ensure_may_export(caller, body.mapping_id, body.destinations)
    run = await submit_export(runtime, build_request(caller, body, request_id(request)))
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])


@router.get("", response_model=ExportList, responses=refusals(401, 403, 422, 503) | UNCHANGED, openapi_extra=LIST_POLL)
async def list_exports(
    request: Request,
    caller: MayReadExports,
    runtime: OpenRuntime,
    *,
    status: State | None = None,
    type: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """List the account's exports, newest first."""
    filters: dict[Filter, str | None] = {"state": status, "type": type}
    wanted = RunQuery(
        [Kind.EXPORT],
        {name: value for name, value in filters.items() if value is not None},
        after=decode_run_cursor(cursor),
    )
    async with runtime.database.read() as session:
        found, more = await list_accepted(session, caller.account_id, wanted, limit=limit)
    found = await look_for_workers_of_all(runtime, found)
    tag = tag_of_list(found, more)
    if has_already(request, tag):
        return not_modified(tag)
    query = {"status": status, "type": type, "limit": limit}
    next_page = link_to_same_path(request, runtime, **query, cursor=encode_run_cursor(found[-1].run)) if more else None
    base, days = base_url(request, runtime), runtime.settings.retention_days
    body = exports.render_list(found, next_page, base=base, retention_days=days)
    return Response(body.encoded(), headers={"ETag": tag}, media_type=translate.JSON)


@router.get(
    "/{export_id}",
    response_model=Export,
    responses=refusals(401, 403, 404, 410, 503) | UNCHANGED,
    openapi_extra=POLL,
)
async def get_export(request: Request, export_id: str, caller: MayReadExports, runtime: OpenRuntime) -> Response:
    """Read an export. Until it has ended, `Retry-After` says when to ask again."""
    poll = await begin_poll(request, runtime, caller, export_id, [Kind.EXPORT])
    if poll.unchanged is not None:
        return poll.unchanged
    days = runtime.settings.retention_days
    run = await look_up_run(runtime.database, caller.account_id, export_id, kind=Kind.EXPORT, retention_days=days)
    current = await look_for_workers(runtime, await look_up_status(runtime.database, run))
    return poll.complete(render_export(request, runtime, current))


@router.get(
    "/{export_id}/file",
    response_class=Response,
    responses=refusals(401, 403, 404, 409, 410, 422, 503) | EXPORT_FILE,
)
async def download_export(
    request: Request, export_id: str, caller: MayReadExports, runtime: OpenRuntime, *, spreadsheet: bool = False
) -> Response:
    """Download the file of an export that has ended.

    A download that broke off can go on: send `Range: bytes=N-`, with the `ETag` of the first answer as `If-Range`.
    With `spreadsheet`, a CSV file is made for people who open it in a spreadsheet: unpacked, as `formulas: neutralize`
    writes it, and with a byte order mark if it is UTF-8. That is sent whole, without an `ETag`.
    """
    async with runtime.database.read() as session:
        run = await find_export(session, runtime, caller.account_id, export_id)
    return await respond_with_export(request, runtime, run, spreadsheet=spreadsheet)


@router.post(
    "/{export_id}/rerun",
    status_code=201,
    response_model=Export,
    responses=refusals(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    openapi_extra=EXPORT_RERUN_BODY,
)
@once(render_started)
async def rerun_export(request: Request, export_id: str, caller: MayWriteExports, runtime: OpenRuntime) -> Response:
    """Start an export again: the same type, mapping, options and destinations, with the records as they are now. A
    mapping template and connections count as they are now. Nothing needs to be sent."""
    async with runtime.database.read() as session:
        parent = await find_export(session, runtime, caller.account_id, export_id)
    ensure_may_export(caller, parent.options.get("mappingId", DEFAULT), parent.destinations or ())
    given = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    body = parse_shape(ExportRerunBody, given)
    sent = request_id(request)
    run = await submit_export(runtime, repeat_export(parent, name=body.name, sender=caller.identity, request_id=sent))
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])


@router.post(
    "/{export_id}/retry",
    status_code=201,
    response_model=Export,
    responses=refusals(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
)
@once(render_started, has_body=False)
async def retry_export(
    request: Request, export_id: str, caller: MayWriteExports, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    """Deliver the file again to the destinations that failed, over their connections as they are now.

    That is a new export with the same file and the `relation` retry.
    """
    async with runtime.database.read() as session:
        parent = await find_export(session, runtime, caller.account_id, export_id)
    run = await retry.retry_export(
        runtime, parent, origin="native", sender=caller.identity, request_id=request_id(request)
    )
    async with runtime.database.read() as session:
        return await render_started(request, runtime, session, [run])


@router.post("/{export_id}/cancel", response_model=Export, responses=refusals(401, 403, 404, 409, 410, 503))
async def cancel_export(request: Request, export_id: str, caller: MayWriteExports, runtime: OpenRuntime) -> Response:
    """Cancel an export that waits or runs. Writing its file and delivering it are broken off within a second or two. A
    file that is complete stays: deliveries that were not made can be retried.

    Sent twice it does the same as sent once. What has ended otherwise is refused with 409.
    """
    async with runtime.database.read() as session:
        run = await find_export(session, runtime, caller.account_id, export_id)
    cancelled = await cancel_run(runtime, write_as(caller, runtime), run)
    async with runtime.database.read() as session:
        return render_export(request, runtime, await read_status(session, cancelled))


@router.delete("/{export_id}", status_code=204, responses=refusals(401, 403, 404, 409, 410, 503))
async def delete_export(export_id: str, caller: MayWriteExports, runtime: OpenRuntime) -> Response:
    """Delete an export that has ended, with its file."""
    await delete_run(runtime, caller.account_id, export_id, kind=Kind.EXPORT)
    return Response(status_code=204)


async def find_export(session: ReadSession, runtime: Runtime, account_id: AccountId, export_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    return await find_run(session, account_id, export_id, kind=Kind.EXPORT, retention_days=days)


def render_export(request: Request, runtime: Runtime, current: Status, *, status_code: int = 200) -> Response:
    base, days = base_url(request, runtime), runtime.settings.retention_days
    body = exports.render_export(current, base=base, retention_days=days)
    return Response(body.encoded(), status_code, describe_run(current), translate.JSON)
