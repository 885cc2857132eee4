""" "What do you want to do?": where each kind of job begins."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import render_page
from app.dashboard.views.wizard.kinds import list_kinds
from app.dashboard.visitor import SignedIn
from app.errors import Refused

router = APIRouter(prefix="/app/start")


@router.get("")
async def start(request: Request, visitor: SignedIn) -> Response:
    """For whoever may start something."""
    kinds = list_kinds(visitor.has_scope)
    if not kinds:
        raise Refused("not_allowed", f"Imports, exports and templates are made here. Ask an admin of {visitor.account}")
    return render_page(request, visitor, "wizard/start.html", kinds=kinds)
