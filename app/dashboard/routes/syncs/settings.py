"""The settings of an item sync: a new one, and a change of one."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import list_connections
from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.views.syncs import form as shown
from app.dashboard.visitor import MayReadConnections, MayWriteSyncs, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.syncs.stored import StoredSync, create_sync, load_sync, replace_sync
from app.web.caller import OpenRuntime, write_as
from app.web.declared.item_syncs import parse_declaration

router = APIRouter(prefix="/app/syncs")


@router.get("/new")
async def show_new(
    request: Request, visitor: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime, *, connection: str = ""
) -> Response:
    """`connection`: one that is chosen already."""
    return await answer_form(request, visitor, runtime, None, FilledForm(shown.values_of(None, connection)))


async def answer_form(
    request: Request, visitor: Visitor, runtime: Runtime, sync: StoredSync | None, form: FilledForm
) -> Response:
    async with runtime.database.read() as session:
        connections = await list_connections(session, runtime.vault, visitor.account_id)
    return render_page(
        request,
        visitor,
        "syncs/form.html",
        422 if form.complaints else 200,
        sync=sync,
        form=form,
        connections=shown.list_connections(connections),
        words=shown,
    )


@router.post("/new")
async def create(request: Request, visitor: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime) -> Response:
    values = shown.read_values(await read_form(request))
    return await save(request, visitor, runtime, None, values)


async def save(
    request: Request, visitor: Visitor, runtime: Runtime, sync: StoredSync | None, values: dict[str, Any]
) -> Response:
    """Checks the values as the API does, and shows the form again with what is wrong."""
    form = FilledForm(values).complain(shown.find_mistakes(values))
    if form.complaints:
        return await answer_form(request, visitor, runtime, sync, form)
    try:
        declaration = parse_declaration(visitor.caller, shown.build_body(values, sync))
        async with write_as(visitor.caller, runtime) as session:
            if sync is None:
                stored = await create_sync(session, runtime.vault, visitor.account_id, declaration)
            else:
                stored = await replace_sync(session, runtime.vault, visitor.account_id, sync.id, declaration)
    except Refused as refused:
        return await answer_form(request, visitor, runtime, sync, form.refused(refused))
    return redirect(f"/app/syncs/{stored.id}", "Item sync saved." if sync else "Item sync created.")


@router.get("/{sync_id}/change")
async def show_change(
    request: Request, sync_id: str, visitor: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    sync = await load(runtime, visitor, sync_id)
    return await answer_form(request, visitor, runtime, sync, FilledForm(shown.values_of(sync)))


async def load(runtime: Runtime, visitor: Visitor, sync_id: str) -> StoredSync:
    async with runtime.database.read() as session:
        return await load_sync(session, visitor.account_id, sync_id)


@router.post("/{sync_id}/change")
async def change(
    request: Request, sync_id: str, visitor: MayWriteSyncs, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    sync = await load(runtime, visitor, sync_id)
    return await save(request, visitor, runtime, sync, shown.read_values(await read_form(request)))
