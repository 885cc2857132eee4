"""Runs of every kind: all the work of an account in one list."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from app.auth.caller import Caller
from app.runs import problems, status
from app.runs.holding.held import resume_run
from app.runs.kinds import KINDS
from app.runs.model import Run, read_run_id
from app.runs.overview.days import count_daily
from app.runs.status import RunQuery
from app.runtime import Runtime
from app.storage.runs import Filter
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.run_items import encode_runs, render_item
from app.surfaces.native.wire.problems import OfCause, OfColumn, ProblemList
from app.surfaces.native.wire.runs import (
    DailyQueryParameters,
    DailyRuns,
    DayOfRuns,
    RunItem,
    RunList,
    RunQueryParameters,
)
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadRuns, MayWriteRuns, OpenRuntime, ensure_may_replace, ensure_scope, write_as
from app.web.declared.resuming import RESUME_BODY, parse_approval
from app.web.links import base_url, link_to_same_path
from app.web.refusals import refusals
from app.web.requests import request_id
from app.web.responses.tags import has_already, not_modified
from app.web.runs.cancelling import cancel_for
from app.web.runs.events import EVENTS, RESUMED, Shown, tell_changes
from app.web.runs.polling import LIST_POLL, POLL, UNCHANGED, begin_poll, describe_run, tag_of_list
from app.web.runs.reading import decode_run_cursor, encode_run_cursor, visible_kinds
from app.web.runs.waits import look_for_workers, look_for_workers_of_all

router = build_router("/runs", "runs")
CANCEL_REFUSALS = refusals(401, 403, 404, 409, 410, 422, 429, 503)
RESUME_REFUSALS = refusals(400, 401, 403, 404, 409, 410, 413, 422, 503)


@router.get("", response_model=RunList, responses=refusals(401, 403, 422, 503) | UNCHANGED, openapi_extra=LIST_POLL)
async def list_runs(
    request: Request, caller: MayReadRuns, runtime: OpenRuntime, query: Annotated[RunQueryParameters, Query()]
) -> Response:
    """List the account's runs, newest first: imports of every surface, and whatever else it has the service do. A key
    sees the kinds that its scopes allow."""
    wanted = RunQuery(
        kinds=visible_kinds(caller, query.kind),
        filters=filters_of(query),
        since=query.since,
        before=query.before,
        after=decode_run_cursor(query.cursor),
    )
    async with runtime.database.read() as session:
        found, more = await status.list_accepted(session, caller.account_id, wanted, limit=query.limit)
    found = await look_for_workers_of_all(runtime, found)
    tag = tag_of_list(found, more)
    if has_already(request, tag):
        return not_modified(tag)
    sent = query.model_dump(by_alias=True, exclude_unset=True, mode="json")
    following = {**sent, "cursor": encode_run_cursor(found[-1].run)} if more else None
    next_page = None if following is None else link_to_same_path(request, runtime, **following)
    base, days = base_url(request, runtime), runtime.settings.retention_days
    body = await encode_runs(found, next_page, base=base, retention_days=days, undo_days=runtime.settings.undo_days)
    return Response(body, headers={"ETag": tag}, media_type=translate.JSON)


def filters_of(query: RunQueryParameters) -> dict[Filter, str]:
    given: dict[Filter, str | None] = {
        "state": query.status,
        "type": query.type,
        "name": query.name,
        "origin": query.origin,
        "parent_id": None if query.parent_id is None else read_run_id(query.parent_id),
        "sync_id": query.sync_id,
        "created_by": query.created_by,
        "connection_id": query.connection_id,
        "text": query.text,
    }
    return {name: value for name, value in given.items() if value is not None}


@router.get("/daily", response_model=DailyRuns, responses=refusals(401, 403, 422, 503))
async def count_runs_by_day(
    caller: MayReadRuns, runtime: OpenRuntime, query: Annotated[DailyQueryParameters, Query()]
) -> Response:
    """Count the runs of each of the last days: how many were accepted, and how many could not be finished."""
    kinds = visible_kinds(caller, query.kind)
    async with runtime.database.read() as session:
        now = await runtime.now(session)
        found = await count_daily(session, caller.account_id, kinds, now=now, days=query.days)
    results = [DayOfRuns(day=each.day, runs=each.runs, failed=each.failed) for each in found]
    return Response(DailyRuns(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.get(
    "/{run_id}",
    response_model=RunItem,
    responses=refusals(401, 403, 404, 410, 503) | UNCHANGED,
    openapi_extra=POLL,
)
async def get_run(request: Request, run_id: str, caller: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Read a run of any kind. `links.details` is where its kind tells everything.

    Until it has ended, or waits for somebody to decide, `Retry-After` says when to ask again.
    """
    poll = await begin_poll(request, runtime, caller, run_id, visible_kinds(caller, None))
    if poll.unchanged is not None:
        return poll.unchanged
    return poll.complete(render_run(request, runtime, await read_run(runtime, caller, run_id)))


@router.get("/{run_id}/events", response_class=StreamingResponse, responses=EVENTS, openapi_extra=RESUMED)
async def follow_run(request: Request, run_id: str, caller: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Follow a run of any kind: an event for each change, until it has ended. Each has the run as `GET /runs/{run_id}`
    shows it.

    Who comes back with `Last-Event-ID` is told only what is new, and gets 204 once the run has ended.
    """

    async def load() -> Shown:
        current = await read_run(runtime, caller, run_id)
        return Shown(current, render_run(request, runtime, current).body)

    return await tell_changes(request, runtime, caller, load)


async def read_run(runtime: Runtime, caller: Caller, run_id: str) -> status.Status:
    """Raises Refused: not_found, gone, not_allowed."""
    days = runtime.settings.retention_days
    run = await status.look_up_run(runtime.database, caller.account_id, run_id, kind=None, retention_days=days)
    visible_kinds(caller, run.kind)
    return await look_for_workers(runtime, await status.look_up_status(runtime.database, run))


@router.get("/{run_id}/problems", response_model=ProblemList, responses=refusals(401, 403, 404, 410, 422, 503))
async def list_run_problems(
    request: Request,
    run_id: str,
    caller: MayReadRuns,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
    code: OfCause = None,
    column: OfColumn = None,
) -> Response:
    """List everything that is wrong with the rows of a run, in the order in which they were read; of an item sync, also
    every file in its ZIP that became no image."""
    days = runtime.settings.retention_days
    async with runtime.heavy_reads.turn(caller.account_id), runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, run_id, kind=None, retention_days=days, whole=False)
        visible_kinds(caller, run.kind)
        found, following = await problems.load_page(
            session, run.id, cursor=cursor, limit=limit, wanted=problems.Wanted(code, column)
        )
    next_page = (
        None
        if following is None
        else link_to_same_path(request, runtime, limit=limit, code=code, column=column, cursor=following)
    )
    return Response(translate.problem_list(found, next_page).encoded(), media_type=translate.JSON)


@router.post("/{run_id}/resume", response_model=RunItem, responses=RESUME_REFUSALS, openapi_extra=RESUME_BODY)
async def resume(request: Request, run_id: str, caller: MayWriteRuns, runtime: OpenRuntime) -> Response:
    """Let a run that is halted or planned go on where it is, without its brakes. It is queued again.

    Sent twice it does the same as sent once: with `plan`, also if it is halted again in between. Needs the scope that
    starts runs of its kind.
    """
    run = await find_to_decide(runtime, caller, run_id)
    ensure_may_replace(caller, replaces=run.replaces)
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds, optional=True)
    resumed = await resume_run(runtime, write_as(caller, runtime), run, parse_approval(body))
    return await answer_with(request, runtime, resumed)


@router.post("/{run_id}/cancel", response_model=RunItem, responses=CANCEL_REFUSALS)
async def cancel(
    request: Request, run_id: str, caller: MayWriteRuns, runtime: OpenRuntime, *, undo: bool = False
) -> Response:
    """Cancel a run that waits, runs or is held. What it has written stays, and nothing else is written.

    A batch that is being committed counts, and a transfer is broken off within a second or two. `failure` says what was
    written.

    With `undo` what it has written is taken back by an undo that begins at once: `undoneBy` names it. That needs
    `imports:delete`, too.

    Sent twice it does the same as sent once. What has ended otherwise is refused with 409.
    Needs the scope that starts runs of its kind.
    """
    run = await find_to_decide(runtime, caller, run_id)
    sent = request_id(request)
    return await answer_with(request, runtime, await cancel_for(caller, runtime, run, undo=undo, request_id=sent))


async def find_to_decide(runtime: Runtime, caller: Caller, run_id: str) -> Run:
    """A run that the caller may resume or cancel. Raises Refused: not_allowed, not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await status.find_run(session, caller.account_id, run_id, kind=None, retention_days=days, whole=False)
    ensure_scope(caller, KINDS[run.kind].write_scope)
    return run


async def answer_with(request: Request, runtime: Runtime, run: Run) -> Response:
    async with runtime.database.read() as session:
        return render_run(request, runtime, await status.read_status(session, run))


def render_run(request: Request, runtime: Runtime, current: status.Status) -> Response:
    body = render_item(request, runtime, current).encoded()
    return Response(body, headers=describe_run(current), media_type=translate.JSON)
