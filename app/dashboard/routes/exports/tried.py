"""Test for Export of a destination, before the export is made."""

from dataclasses import replace

from app.connections.check import check_connection
from app.connections.connection import load_connection
from app.connections.target import PathValues, find_folder
from app.dashboard.routes.exports.page import OpenForm, TriedDestination
from app.dashboard.views.connections.steps import show_steps
from app.dashboard.visitor import Visitor
from app.errors import Complaint, Refused
from app.runtime import Runtime
from app.web.caller import ensure_scope


async def try_destination(runtime: Runtime, visitor: Visitor, opened: OpenForm, number: int) -> OpenForm:
    """Test for Export of one destination, in the folder that it names."""
    ensure_scope(visitor.caller, "connections:write")
    row, values = f"destination-{number}", opened.values
    try:
        async with runtime.database.read() as session:
            chosen = values.get(f"{row}-connection", "")
            connection = await load_connection(session, runtime.vault, visitor.account_id, chosen)
            now = await runtime.now(session)
        named = PathValues(now, values.get("type", ""), values.get("name"), "test")
        folder = find_folder(values.get(f"{row}-path", ""), named)
        sender = visitor.caller.identity
        check = await check_connection(runtime, visitor.account_id, connection, "export", folder, sender=sender)
    except Refused as refused:
        wrong = Complaint(f"{row}-connection", refused.detail)
        return replace(opened, complaints=(wrong,))
    return replace(opened, tried=TriedDestination(number, show_steps("export", check.steps)))
