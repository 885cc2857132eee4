"""Takes the file of a draft from a browser: streamed into the store as it arrives."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm
from app.dashboard.routes.received import receive_file
from app.dashboard.routes.wizard.draft import BASE, ensure_room, find_other_page, go_to, open_draft
from app.dashboard.routes.wizard.source import show_source
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.begin import keep_upload
from app.drafts.draft import Draft
from app.errors import Complaint, Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime

router = APIRouter(prefix=BASE)
NOT_A_FILE: Final = frozenset({"empty_file", "unreadable_file", "too_large", "invalid", "queue_full"})


@router.post("/upload")
async def begin_with_upload(request: Request, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Makes a draft of the file."""
    await ensure_room(runtime, visitor)
    return await take_upload(request, runtime, visitor, None)


@router.post("/{draft_id}/upload")
async def replace_with_upload(
    request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime
) -> Response:
    """Takes the file in place of the one that the draft has."""
    draft = await open_draft(runtime, visitor, draft_id)
    return find_other_page(draft, "source") or await take_upload(request, runtime, visitor, draft)


async def take_upload(request: Request, runtime: Runtime, visitor: Visitor, draft: Draft | None) -> Response:
    try:
        async with receive_file(request, runtime, visitor) as upload:
            sender = visitor.caller.identity
            kept = await keep_upload(runtime, visitor.account_id, sender, upload, draft=draft)
    except Refused as refused:
        if refused.code not in NOT_A_FILE:
            raise
        told = Refused(refused.code, refused.detail, [Complaint("file", refused.detail)])
        form = FilledForm({"file": ""}).refused(told)
        return await show_source(request, runtime, visitor, draft, "upload", form)
    return go_to(kept, "source")
