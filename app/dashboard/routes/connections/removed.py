"""Removing a connection: what would fail without it, then the button."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import delete_connection
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.connections.listed import CONNECTIONS
from app.dashboard.routes.connections.one import open_page
from app.dashboard.script import write_curl
from app.dashboard.views.connections.rows import show_row
from app.dashboard.visitor import MayWriteConnections
from app.web.caller import OpenRuntime, write_as
from app.web.links import base_url

router = APIRouter(prefix=CONNECTIONS)


@router.get("/{connection_id}/delete")
async def removal_page(
    request: Request, visitor: MayWriteConnections, runtime: OpenRuntime, connection_id: str
) -> Response:
    page = await open_page(visitor, runtime, connection_id)
    command = write_curl(base_url(request, runtime), f"/connections/{connection_id}", method="DELETE")
    row = show_row(page.connection)
    return render_page(request, visitor, "connections/delete.html", row=row, uses=page.uses, command=command)


@router.post("/{connection_id}/delete")
async def remove(visitor: MayWriteConnections, runtime: OpenRuntime, connection_id: str) -> Response:
    name = (await open_page(visitor, runtime, connection_id)).connection.declaration.name
    async with write_as(visitor.caller, runtime) as session:
        await delete_connection(session, visitor.account_id, connection_id)
    return redirect(CONNECTIONS, notice=f"Connection {name} removed.")
