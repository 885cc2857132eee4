"""An export made like an earlier one."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.routes.exports.page import OpenForm, render_form
from app.dashboard.views.exports.filled import fill
from app.dashboard.views.runs.badge import badge_of, title_of
from app.dashboard.visitor import MayReadExports, MayWriteExports, Visitor
from app.exports.destinations import load_wanted
from app.mappings.mapping import INLINE
from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.status import RunQuery, find_run, list_accepted
from app.runtime import Runtime
from app.web.caller import OpenRuntime

router = APIRouter(prefix="/app/exports")
LISTED: Final = 25


@router.get("/again")
async def choose_one(request: Request, visitor: MayWriteExports, _: MayReadExports, runtime: OpenRuntime) -> Response:
    """The last exports."""
    async with runtime.database.read() as session:
        found, _more = await list_accepted(session, visitor.account_id, RunQuery([Kind.EXPORT], {}), limit=LISTED)
    return render_page(request, visitor, "exports/again.html", exports=found, badge_of=badge_of, title_of=title_of)


@router.get("/again/{export_id}")
async def again_page(request: Request, visitor: MayWriteExports, runtime: OpenRuntime, export_id: str) -> Response:
    """The same form, filled in as the export was made."""
    members = describe(await find_export(runtime, visitor, export_id))
    inline = "true" if members.get("mappingId") == INLINE else ""
    values = {**fill(members), "parent": export_id, "inline": inline}
    return await render_form(request, visitor, runtime, OpenForm(values, members))


async def find_export(runtime: Runtime, visitor: Visitor, export_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await find_run(session, visitor.account_id, export_id, kind=Kind.EXPORT, retention_days=days)


def describe(run: Run) -> dict[str, Any]:
    """What was asked for, as members of `POST /exports`."""
    wanted = [{"connectionId": each.connection_id, "path": each.path} for each in load_wanted(run)]
    members = {"type": run.type, "name": run.name, "confirmEmail": run.notify, **run.options["file"]}
    members |= {"mappingId": run.options.get("mappingId"), "filter": run.options.get("filter"), "destinations": wanted}
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
