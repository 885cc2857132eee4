"""All connections, each with how its last tests went."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import list_connections
from app.dashboard.render import render_page
from app.dashboard.script import write_curl
from app.dashboard.views.connections.rows import show_row
from app.dashboard.visitor import MayReadConnections
from app.web.caller import OpenRuntime
from app.web.links import base_url

CONNECTIONS: Final = "/app/settings/connections"
router = APIRouter(prefix=CONNECTIONS)


@router.get("")
async def list_page(request: Request, visitor: MayReadConnections, runtime: OpenRuntime) -> Response:
    """The connections by name."""
    async with runtime.database.read() as session:
        stored = await list_connections(session, runtime.vault, visitor.account_id)
    return render_page(
        request,
        visitor,
        "connections/list.html",
        rows=[show_row(each) for each in stored],
        command=write_curl(base_url(request, runtime), "/connections"),
    )
