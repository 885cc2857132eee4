"""Tests the source of a draft, and looks at the beginning of its file: both take up to a minute."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.identity import Identity
from app.connections.pull import Pull
from app.dashboard.forms import FilledForm
from app.dashboard.routes.wizard.draft import BASE, ensure_may_fetch, find_other_page, go_to, open_draft
from app.dashboard.routes.wizard.source import show_source
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.begin import look_at_beginning
from app.drafts.draft import Draft
from app.drafts.source_check import check_source
from app.drafts.start import find_pull
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime

router = APIRouter(prefix=f"{BASE}/{{draft_id}}")
Look = Callable[[Runtime, Draft, Pull, Identity], Awaitable[Draft]]


@router.post("/test")
async def test(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Test for Import: what is found is kept with the draft."""
    return await call_server(request, runtime, visitor, draft_id, check_source)


@router.post("/look")
async def look(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Reads the beginning of the file, as the test does."""
    return await call_server(request, runtime, visitor, draft_id, look_at_beginning)


async def call_server(request: Request, runtime: Runtime, visitor: Visitor, draft_id: str, how: Look) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "source"):
        return elsewhere
    ensure_may_fetch(visitor, draft.source)
    if not draft.is_upload:
        try:
            await how(runtime, draft, await find_pull(runtime, draft), visitor.caller.identity)
        except Refused as refused:
            return await show_source(request, runtime, visitor, draft, "", FilledForm().refused(refused))
    return go_to(draft, "source")
