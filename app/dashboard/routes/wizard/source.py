"""The first step of the wizard: where the file is, and what it is."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.connections.connection import StoredConnection, list_connections
from app.dashboard.forms import FilledForm
from app.dashboard.render import render_page
from app.dashboard.routes.wizard.draft import BASE, find_other_page, go_to, open_draft
from app.dashboard.views.wizard.frame import show_frame
from app.dashboard.views.wizard.source import WAYS, list_source_fields, show_facts, show_ways, way_of
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.draft import Draft, choose
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as

router = APIRouter(prefix=BASE)
Way = Annotated[str, Query(alias="from", max_length=20)]


@router.get("")
async def begin(request: Request, visitor: MayWriteImports, runtime: OpenRuntime, way: Way = "upload") -> Response:
    """The step without a draft: sending a file or naming a server makes one."""
    return await show_source(request, runtime, visitor, None, way)


@router.get("/{draft_id}/source")
async def show(
    request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime, way: Way = ""
) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    return find_other_page(draft, "source") or await show_source(request, runtime, visitor, draft, way)


@router.post("/{draft_id}/source")
async def go_on(draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Next: the file is the right one."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "source"):
        return elsewhere
    if not draft.has_file:
        return go_to(draft, "source")
    async with write_as(visitor.caller, runtime) as session:
        await choose(session, draft, {}, next_step="type")
    return go_to(draft, "type")


async def show_source(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    draft: Draft | None,
    way: str,
    form: FilledForm | None = None,
) -> Response:
    """The page. `way` is a key of WAYS, or the draft's own."""
    chosen = way if way in WAYS else way_of(draft)
    form = form or FilledForm()
    return render_page(
        request,
        visitor,
        "wizard/source.html",
        422 if form.complaints else 200,
        frame=show_frame(draft, "source"),
        form=form,
        draft=draft,
        facts=show_facts(draft) if draft and draft.has_file else None,
        way=chosen,
        ways=show_ways(draft, chosen),
        fields=list_source_fields(chosen),
        connections=[(each.id, each.declaration.name) for each in await load_connections(runtime, visitor, chosen)],
        may_store=visitor.has_scope("connections:write"),
        limit=runtime.settings.max_file_bytes,
    )


async def load_connections(runtime: Runtime, visitor: Visitor, way: str) -> Sequence[StoredConnection]:
    """Where one is to be chosen, unless the visitor may not see them."""
    if way != "connection" or not visitor.has_scope("connections:read"):
        return []
    async with runtime.database.read() as session:
        return await list_connections(session, runtime.vault, visitor.account_id)
