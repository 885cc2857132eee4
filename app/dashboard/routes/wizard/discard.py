"""Throws a draft away, after a page that says what goes with it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.routes.wizard.draft import BASE, find_other_page, open_draft
from app.dashboard.views.wizard.frame import address_of_step, tell_file
from app.dashboard.visitor import MayWriteImports
from app.drafts.draft import discard_draft, drop_files
from app.web.caller import OpenRuntime, write_as

router = APIRouter(prefix=f"{BASE}/{{draft_id}}/discard")


@router.get("")
async def ask(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    return find_other_page(draft, "source") or render_page(
        request, visitor, "wizard/discard.html", draft=draft, about=tell_file(draft), back=address_of_step(draft)
    )


@router.post("")
async def discard(draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        blob = await discard_draft(session, visitor.account_id, draft_id)
    await drop_files(runtime, [blob])
    return redirect("/app/jobs", "The draft was discarded.")
