"""Voucherify's async actions: polled, listed, and reported on row by row."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from app.errors import Refused
from app.imports.results.row_outcomes import open_row_outcomes
from app.runs import problems, status
from app.runs.model import AccountId, Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.surfaces.voucherify.routes.caller import MayReadActions
from app.surfaces.voucherify.translate.actions import MOST_FAILED, listed, shown
from app.surfaces.voucherify.translate.moments import moment_from
from app.surfaces.voucherify.translate.report import report_lines
from app.surfaces.voucherify.vocabulary import ACTIONS
from app.surfaces.voucherify.wire.actions import REPORT, AsyncAction, AsyncActionList
from app.surfaces.voucherify.wire.errors import refusals
from app.surfaces.voucherify.wire.shape import Spelled
from app.web.caller import OpenRuntime
from app.web.links import base_url
from app.web.openapi import operation_id
from app.web.surface import shorten

router = APIRouter(prefix="/v1/async-actions", tags=["async-actions"], generate_unique_id_function=operation_id)
JSON = "application/json"
ORIGINS = tuple(ACTIONS)


@router.get("", response_model=AsyncActionList, responses=refusals(400, 401, 403, 429, 500, 503))
@router.get("/", include_in_schema=False)
async def list_async_actions(
    caller: MayReadActions,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    end_date: Annotated[Spelled | None, Query(description="Only actions that were started before this moment")] = None,
) -> Response:
    """List the account's async actions, newest first, without their results."""
    before = None if end_date is None else moment_from(end_date, "end_date")
    async with runtime.database.read() as session:
        found, more = await status.list_newest(session, caller.account_id, ORIGINS, before=before, limit=limit)
    actions = [listed(run) for run in found]
    body = AsyncActionList(object="list", data_ref="async_actions", async_actions=actions, has_more=more)
    return Response(body.encoded(), media_type=JSON)


@router.get("/{action_id}", response_model=AsyncAction, responses=refusals(401, 403, 404, 429, 500, 503))
@router.get("/{action_id}/", include_in_schema=False)
async def get_async_action(request: Request, action_id: str, caller: MayReadActions, runtime: OpenRuntime) -> Response:
    """Read an async action. Its result is there once it is DONE, and by then its rows can be read."""
    async with runtime.database.read() as session:
        run = await action_of(session, runtime, caller.account_id, action_id)
        failed = await problems.load_first(session, run.id, rows=MOST_FAILED) if run.done else []
    report = f"{base_url(request, runtime)}/v1/async-actions/aa_{run.id}/report.csv"
    action = shown(run, failed, report=report, retention_days=runtime.settings.retention_days)
    return Response(action.encoded(), media_type=JSON)


@router.get(
    "/{action_id}/report.csv",
    response_class=StreamingResponse,
    responses=refusals(401, 403, 404, 429, 500, 503) | REPORT,
)
async def download_report(action_id: str, caller: MayReadActions, runtime: OpenRuntime) -> StreamingResponse:
    """Download what became of each item of a bulk update: `source_id`, `found`, `updated` and the reason if it failed.

    `found` tells whether the customer was there before, `updated` whether it now has what was sent.
    """
    async with runtime.database.read() as session:
        run = await action_of(session, runtime, caller.account_id, action_id)
    if not run.options["ledger"] or not run.done:
        raise unknown_action(action_id)
    headers = {"Content-Disposition": f'attachment; filename="aa_{run.id}-report.csv"'}
    lines = report_lines(await open_row_outcomes(runtime, run))
    return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")


async def action_of(session: ReadSession, runtime: Runtime, account_id: AccountId, action_id: str) -> Run:
    """The run of an async action. Raises Refused("not_found"), also for a run that another surface has made."""
    try:
        run = await status.find_run(session, account_id, action_id, retention_days=runtime.settings.retention_days)
    except Refused:
        raise unknown_action(action_id) from None
    if run.origin not in ACTIONS:
        raise unknown_action(action_id)
    return run


def unknown_action(action_id: str) -> Refused:
    named = shorten(action_id)
    facts = {"resource_id": named, "resource_type": "async_action"}
    return Refused("not_found", f"Cannot find async_action with id {named}", facts=facts)
