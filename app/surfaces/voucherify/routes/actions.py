"""Voucherify's async actions: list them, read one, and download its report row by row."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.errors import Refused, shorten_name
from app.imports.results.row_outcomes import open_row_outcomes
from app.problems import Problem
from app.runs import problems, status
from app.runs.model import Run
from app.runtime import Runtime
from app.surfaces.voucherify.routes.caller import MayReadActions
from app.surfaces.voucherify.translate.actions import MOST_FAILED, action_with_result, action_without_result
from app.surfaces.voucherify.translate.report import write_report
from app.surfaces.voucherify.translate.times import parse_time
from app.surfaces.voucherify.vocabulary import ACTIONS
from app.surfaces.voucherify.wire.actions import REPORT, AsyncAction, AsyncActionList
from app.surfaces.voucherify.wire.errors import refusals
from app.surfaces.voucherify.wire.shape import TimeText
from app.web.caller import OpenRuntime
from app.web.links import base_url
from app.web.openapi import operation_id
from app.web.responses.downloads import FileDownload, ensure_few_downloads
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(
    prefix="/v1/async-actions",
    tags=["async-actions"],
    generate_unique_id_function=operation_id,
    route_class=FinalSlashRoute,
)
JSON = "application/json"
ORIGINS = tuple(ACTIONS)


@router.get("", response_model=AsyncActionList, responses=refusals(400, 401, 403, 429, 500, 503))
async def list_async_actions(
    caller: MayReadActions,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    end_date: Annotated[TimeText | None, Query(description="Only actions that were started before this time")] = None,
) -> Response:
    """List the account's async actions, newest first, without their results."""
    before = None if end_date is None else parse_time(end_date, "end_date")
    async with runtime.database.read() as session:
        runs, more = await status.list_newest(session, caller.account_id, ORIGINS, before=before, limit=limit)
    actions = [action_without_result(run) for run in runs]
    body = AsyncActionList(object="list", data_ref="async_actions", async_actions=actions, has_more=more)
    return Response(body.encoded(), media_type=JSON)


@router.get("/{action_id}", response_model=AsyncAction, responses=refusals(401, 403, 404, 429, 500, 503))
async def get_async_action(request: Request, action_id: str, caller: MayReadActions, runtime: OpenRuntime) -> Response:
    """Read an async action. Once it is DONE it has its result, and its customers can be read."""
    days = runtime.settings.retention_days
    run = await find_action(
        status.look_up_run(runtime.database, caller.account_id, action_id, retention_days=days), action_id
    )
    failed = await load_failed(runtime, run) if run.done and run.failed else []
    report = f"{base_url(request, runtime)}/v1/async-actions/aa_{run.id}/report.csv"
    action = action_with_result(run, failed, report=report, retention_days=days)
    return Response(action.encoded(), media_type=JSON)


@router.get(
    "/{action_id}/report.csv",
    response_class=StreamingResponse,
    responses=refusals(401, 403, 404, 429, 500, 503) | REPORT,
)
async def download_report(action_id: str, caller: MayReadActions, runtime: OpenRuntime) -> StreamingResponse:
    """Download what happened to each item of a bulk update: `source_id`, `found`, `updated`, and why it failed.

    `found` says whether the customer existed before, `updated` whether it now has what was sent.
    """
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        run = await find_action(status.find_run(session, caller.account_id, action_id, retention_days=days), action_id)
    if not run.options["ledger"] or not run.done:
        raise unknown_action(action_id)
    ensure_few_downloads(runtime, caller.account_id)
    lines = write_report(await open_row_outcomes(runtime, run))
    return FileDownload(runtime, caller.account_id, lines, f"aa_{run.id}-report.csv")


async def load_failed(runtime: Runtime, run: Run) -> list[Problem]:
    """What is wrong with its first rows that failed."""
    async with runtime.heavy_reads.turn(run.account_id), runtime.database.read() as session:
        return await problems.load_first(session, run.id, rows=MOST_FAILED)


async def find_action(found: Awaitable[Run], action_id: str) -> Run:
    """The run that is `found` for an async action. Raises Refused("not_found"), also for a run that another surface has
    started."""
    try:
        run = await found
    except Refused:
        raise unknown_action(action_id) from None
    if run.origin not in ACTIONS:
        raise unknown_action(action_id)
    return run


def unknown_action(action_id: str) -> Refused:
    name = shorten_name(action_id)
    facts = {"resource_id": name, "resource_type": "async_action"}
    return Refused("not_found", f"Cannot find async_action with id {name}", facts=facts)
