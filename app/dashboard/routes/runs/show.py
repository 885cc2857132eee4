"""The page of a run, of whatever kind and in whatever state, and where links of single kinds lead."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.dashboard.live.run import TEMPLATE, load_run_view, run_context
from app.dashboard.render import render_page
from app.dashboard.views.runs.scripts import script_of_run
from app.dashboard.visitor import MayReadRuns
from app.web.caller import OpenRuntime
from app.web.links import base_url

router = APIRouter(prefix="/app/runs/{run_id}")
addresses = APIRouter()


@router.get("")
async def show_run(request: Request, run_id: str, visitor: MayReadRuns, runtime: OpenRuntime) -> Response:
    view = await load_run_view(runtime, visitor, run_id)
    script = script_of_run(view.run, base_url(request, runtime))
    live = f"/app/live?page=run&run={view.run.id}"
    return render_page(request, visitor, TEMPLATE, live=live, script=script, **run_context(runtime, view))


@addresses.get("/app/imports/{run_id}")
@addresses.get("/app/exports/{run_id}")
@addresses.get("/app/syncs/{sync_id}/runs/{run_id}")
async def lead_to_run(run_id: str, _: MayReadRuns) -> Response:
    """Runs of every kind have one page."""
    return RedirectResponse(f"/app/runs/{run_id}", 307)
