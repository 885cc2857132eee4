"""What can be had of an export that has ended: its file, and another try of what was not delivered."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect
from app.dashboard.routes.exports.again import find_export
from app.dashboard.visitor import MayReadExports, MayWriteExports
from app.errors import Refused
from app.exports.retry import retry_export
from app.web.caller import OpenRuntime, ensure_scope
from app.web.requests import request_id
from app.web.responses.export_file import respond_with_export

router = APIRouter(prefix="/app/exports")
# What the page of the export tells: nothing to deliver, a connection that was removed or is locked, no place.
TOLD_THERE: Final = ("nothing_to_retry", "invalid", "not_found", "secrets_locked", "queue_full")


@router.get("/{export_id}/file")
async def send_file(
    request: Request, visitor: MayReadExports, runtime: OpenRuntime, export_id: str, *, spreadsheet: bool = False
) -> Response:
    """As it was written, or made for spreadsheets."""
    run = await find_export(runtime, visitor, export_id)
    return await respond_with_export(request, runtime, run, spreadsheet=spreadsheet)


@router.post("/{export_id}/retry")
async def try_again(request: Request, visitor: MayWriteExports, runtime: OpenRuntime, export_id: str) -> Response:
    """Delivers to the destinations that failed, as an export of its own."""
    ensure_scope(visitor.caller, "connections:read")
    parent, sender = await find_export(runtime, visitor, export_id), visitor.caller.identity
    try:
        run = await retry_export(runtime, parent, origin="native", sender=sender, request_id=request_id(request))
    except Refused as refused:
        if refused.code not in TOLD_THERE:
            raise
        return redirect(f"/app/exports/{export_id}", notice=f"{refused.detail}.")
    return redirect(f"/app/exports/{run.id}", notice="The file is delivered again to what failed.")
