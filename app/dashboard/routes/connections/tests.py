"""Test for Import and Test for Export: what is found is kept with the connection, and its page shows it."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.check import check_connection
from app.connections.outcome import Purpose
from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect
from app.dashboard.routes.connections.listed import CONNECTIONS
from app.dashboard.routes.connections.one import open_page, render_one
from app.dashboard.visitor import MayWriteConnections, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime
from app.web.failures import STATUSES

router = APIRouter(prefix=CONNECTIONS)


@router.post("/{connection_id}/test-import")
async def test_import(
    request: Request, visitor: MayWriteConnections, runtime: OpenRuntime, connection_id: str
) -> Response:
    """Whether a file can be imported."""
    return await run_test(request, visitor, runtime, connection_id, "import")


@router.post("/{connection_id}/test-export")
async def test_export(
    request: Request, visitor: MayWriteConnections, runtime: OpenRuntime, connection_id: str
) -> Response:
    """Whether a file can be delivered."""
    return await run_test(request, visitor, runtime, connection_id, "export")


async def run_test(
    request: Request, visitor: Visitor, runtime: Runtime, connection_id: str, purpose: Purpose
) -> Response:
    page, name = await open_page(visitor, runtime, connection_id), f"{purpose}-path"
    path = text_of(await read_form(request), name)
    try:
        sender = visitor.caller.identity
        await check_connection(runtime, visitor.account_id, page.connection, purpose, path, sender=sender)
    except Refused as refused:
        paths = FilledForm({**page.paths.values, name: path}).refused(refused, {"path": name})
        return render_one(request, visitor, runtime, replace(page, paths=paths), status=STATUSES[refused.code])
    return redirect(f"{CONNECTIONS}/{connection_id}#test-{purpose}")
