"""Takes back what a run has changed. A page says before, in numbers, what will happen."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.live.run import find_visible, load_run_view, run_context
from app.dashboard.render import redirect, render_page
from app.dashboard.visitor import MayReadRuns, MayWriteRuns, NeedScope, Visitor
from app.runs.changes.undoable import scopes_to_undo
from app.runs.model import Run
from app.runtime import Runtime
from app.undo.intake import preview_undo, submit_undo
from app.web.caller import OpenRuntime, write_as
from app.web.requests import request_id

router = APIRouter(prefix="/app/runs/{run_id}/undo")


@router.get("")
async def ask(request: Request, run_id: str, visitor: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Looks at every record that the run has changed."""
    run = await load_to_undo(runtime, visitor, run_id)
    async with runtime.heavy_reads.turn(visitor.account_id):
        seen = await preview_undo(runtime, run)
    view = await load_run_view(runtime, visitor, run_id)
    return render_page(request, visitor, "runs/undo.html", seen=seen, **run_context(runtime, view))


@router.post("")
async def undo(request: Request, run_id: str, visitor: MayWriteRuns, runtime: OpenRuntime) -> Response:
    """Leads to the run that does it. One that has begun is not begun again."""
    run = await load_to_undo(runtime, visitor, run_id)
    opening, caller = write_as(visitor.caller, runtime), visitor.caller
    begun = await submit_undo(runtime, opening, run, sender=caller.identity, request_id=request_id(request))
    return redirect(f"/app/runs/{begun.id}", "The undo has begun.")


async def load_to_undo(runtime: Runtime, visitor: Visitor, run_id: str) -> Run:
    """Raises Refused: not_found, gone, not_allowed."""
    async with runtime.database.read() as session:
        run = await find_visible(session, runtime, visitor, run_id)
    for scope in scopes_to_undo(run):
        await NeedScope((scope,))(visitor)
    return run
