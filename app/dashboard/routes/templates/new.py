"""A mapping template without a job: its type, and a file whose columns it is for."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.received import receive_file
from app.dashboard.routes.templates.listed import TEMPLATES
from app.dashboard.visitor import MayWriteMappings, Visitor
from app.declarations.types import ensure_type, list_names, load_declarations
from app.drafts.begin import keep_upload
from app.drafts.draft import TEMPLATE, ensure_few_drafts
from app.errors import Complaint, Refused
from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from app.web.caller import OpenRuntime

NEW: Final = f"{TEMPLATES}/new"
# What a file is refused for; the page says it, and takes another one.
NOT_A_FILE: Final = frozenset({"empty_file", "unreadable_file", "too_large", "invalid", "queue_full"})
router = APIRouter(prefix=NEW)
TypeName = Annotated[str, Query(alias="type", max_length=100)]


@router.get("")
async def show(request: Request, visitor: MayWriteMappings, runtime: OpenRuntime, type: TypeName = "") -> Response:
    """First the type, then the file."""
    return await show_page(request, runtime, visitor, type, FilledForm({"type": type or next(iter(BUILT_IN))}))


@router.post("")
async def take_file(request: Request, visitor: MayWriteMappings, runtime: OpenRuntime, type: TypeName) -> Response:
    """Makes a draft of the file, which no import comes of."""
    try:
        async with runtime.database.read() as session:
            await ensure_type(session, visitor.account_id, type)
            await ensure_few_drafts(session, visitor.account_id)
        choices = {"type": type, "purpose": TEMPLATE}
        async with receive_file(request, runtime, visitor) as upload:
            draft = await keep_upload(
                runtime, visitor.account_id, visitor.caller.identity, upload, values={"choices": choices}
            )
    except Refused as refused:
        if refused.code not in NOT_A_FILE:
            raise
        told = Refused(refused.code, refused.detail, [Complaint("file", refused.detail)])
        return await show_page(request, runtime, visitor, type, FilledForm({"file": ""}).refused(told))
    return redirect(f"{NEW}/{draft.id}")


async def show_page(request: Request, runtime: Runtime, visitor: Visitor, type: str, form: FilledForm) -> Response:
    async with runtime.database.read() as session:
        names = list_names(await load_declarations(session, visitor.account_id))
    return render_page(
        request,
        visitor,
        "templates/new.html",
        422 if form.complaints else 200,
        form=form,
        type=type if type in names else "",
        types=[(name, name) for name in names],
        limit=runtime.settings.max_file_bytes,
    )
