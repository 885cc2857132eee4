"""Names the file of a draft that is at another server. No server is called."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from app.connections.connection import create_connection, load_connection
from app.connections.declaration import invalid
from app.connections.pull import Pull
from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.routes.connections.form import read_member, show_again
from app.dashboard.routes.wizard.draft import BASE, ensure_room, find_other_page, go_to, open_draft
from app.dashboard.routes.wizard.source import show_source
from app.dashboard.views.wizard.source import WAYS, list_source_members
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.begin import keep_source
from app.drafts.draft import Draft
from app.drafts.source import as_connection, check_path, read_source
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, ensure_scope, write_as

router = APIRouter(prefix=BASE)
PLACES = ("path", "url", "sheet", "store")  # fields of the form beside those of a connection


@router.post("/server")
async def begin_with_server(request: Request, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Makes a draft of a file that is elsewhere."""
    await ensure_room(runtime, visitor)
    return await take_server(request, runtime, visitor, None)


@router.post("/{draft_id}/server")
async def replace_with_server(
    request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime
) -> Response:
    """Takes the file in place of the one that the draft has."""
    draft = await open_draft(runtime, visitor, draft_id)
    return find_other_page(draft, "source") or await take_server(request, runtime, visitor, draft)


async def take_server(request: Request, runtime: Runtime, visitor: Visitor, draft: Draft | None) -> Response:
    given = await read_form(request)
    way = text_of(given, "way")
    if way not in WAYS or way == "upload":
        raise Refused("bad_request", "The form does not say what kind of server it is")
    if way == "connection":
        return await take_connection(request, runtime, visitor, draft, given)
    members, name, stores = read_source_members(given, way), text_of(given, "name"), text_of(given, "store")
    try:
        pull = read_source(members)
        if stores:
            pull = await store_connection(runtime, visitor, pull, as_connection(pull, members, name))
    except Refused as refused:
        typed = show_again({**members, "name": name}, way, refused).values
        form = FilledForm({**{place: text_of(given, place) for place in PLACES}, **typed}).refused(refused)
        return await show_source(request, runtime, visitor, draft, way, form)
    return await keep(runtime, visitor, pull, draft, text_of(given, "sheet"))


def read_source_members(given: FormData, way: str) -> dict[str, Any]:
    """What is empty is left out."""
    members = {member: read_member(given, member) for member in list_source_members(way)}
    return {"transport": way, **{member: value for member, value in members.items() if value != ""}}


async def store_connection(runtime: Runtime, visitor: Visitor, pull: Pull, body: dict[str, Any]) -> Pull:
    """Raises Refused: not_allowed, invalid, name_taken."""
    ensure_scope(visitor.caller, "connections:write")
    async with write_as(visitor.caller, runtime) as session:
        stored = await create_connection(session, runtime.vault, visitor.account_id, body)
    return Pull(stored.remote(), pull.path, stored.id)


async def take_connection(
    request: Request, runtime: Runtime, visitor: Visitor, draft: Draft | None, given: FormData
) -> Response:
    ensure_scope(visitor.caller, "connections:read")
    chosen, path, sheet = (text_of(given, name) for name in ("connection", "path", "sheet"))
    try:
        async with runtime.database.read() as session:
            connection = await load_connection(session, runtime.vault, visitor.account_id, chosen)
        remote = connection.remote()
        if complaints := check_path(remote.scheme, path):
            raise invalid(complaints)
    except Refused as refused:
        form = FilledForm({"connection": chosen, "path": path, "sheet": sheet}).refused(refused)
        return await show_source(request, runtime, visitor, draft, "connection", form)
    return await keep(runtime, visitor, Pull(remote, path, connection.id), draft, sheet)


async def keep(runtime: Runtime, visitor: Visitor, pull: Pull, draft: Draft | None, sheet: str) -> Response:
    """`sheet` is that of a workbook, "" for the first one that is not hidden."""
    choices = {name: value for name, value in (draft.choices if draft else {}).items() if name != "sheet"}
    values = {"choices": {**choices, "sheet": sheet} if sheet else choices}
    kept = await keep_source(runtime, visitor.account_id, visitor.caller.identity, pull, draft=draft, values=values)
    return go_to(kept, "source")
