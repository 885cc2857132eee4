""" "What do you want to do?": where each kind of job begins."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.views.wizard.kinds import list_kinds
from app.dashboard.visitor import MayStartJobs

router = APIRouter(prefix="/app/start")


@router.get("")
async def start(request: Request, visitor: MayStartJobs) -> Response:
    """What of it somebody has a right to."""
    return render_page(request, visitor, "wizard/start.html", kinds=list_kinds(visitor.has_scope))
