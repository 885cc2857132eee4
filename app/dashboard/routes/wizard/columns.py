"""The third step of the wizard: what the columns of the file become."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect
from app.dashboard.routes.columns.filled import NEXT, FilledColumns, read_columns
from app.dashboard.routes.columns.page import load_uses, render_columns, unknown_of, warn, write_command
from app.dashboard.routes.columns.saving import keep_choices, save_template, settle_columns
from app.dashboard.routes.wizard.draft import BASE, ensure_may_use, find_other_page, go_to, lead_from, open_draft
from app.dashboard.views.wizard.frame import show_frame
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.columns.review import ColumnReview, load_draft_type, name_columns, review_draft
from app.drafts.columns.verdict import find_blocks, find_doubles
from app.drafts.draft import Draft
from app.errors import Complaint, Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime

router = APIRouter(prefix=BASE)
CHANGED: Final = "The file, how it is read or its type was changed meanwhile. These are its columns now"
Number = Annotated[int, Query(alias="page", ge=1, le=100)]


@router.get("/{draft_id}/columns")
async def show(
    request: Request,
    draft_id: str,
    visitor: MayWriteImports,
    runtime: OpenRuntime,
    number: Number = 1,
    only: bool = False,
) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "columns"):
        return elsewhere
    ensure_may_use(visitor, draft.choices)
    return await show_columns_again(request, runtime, visitor, draft, FilledColumns({}, FilledForm(), "", number, only))


@router.post("/{draft_id}/columns")
async def choose_columns(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "columns"):
        return elsewhere
    ensure_may_use(visitor, draft.choices)
    form = await read_form(request)
    if text_of(form, "seen") not in ("", draft.file_mark):
        told = FilledForm().complain([Complaint("", CHANGED)])
        return await show_columns_again(request, runtime, visitor, draft, FilledColumns({}, told, "", 1, only=False))
    filled = read_columns(form, name_columns(draft), await load_draft_type(runtime, draft))
    review = await review_draft(runtime, draft, filled.chosen)
    if not filled.form.complaints and review.is_storable:
        await keep_choices(runtime, visitor, draft, review)
    if not filled.form.complaints:
        filled = filled.complaining(
            find_doubles(review) if filled.go != NEXT else find_blocks(review, unknown_of(draft, review))
        )
    if filled.form.complaints:
        return await show_page(request, runtime, visitor, draft, review, filled)
    if filled.go != NEXT:
        return redirect(filled.address(f"{BASE}/{draft.id}/columns"))
    try:
        template = await save_template(runtime, visitor, draft, review, text_of(form, "save"), text_of(form, "name"))
    except Refused as refused:
        if refused.code not in ("invalid", "name_taken"):
            raise
        return await show_page(request, runtime, visitor, draft, review, filled.refused(refused))
    await settle_columns(runtime, visitor, draft, review, template, "check")
    return go_to(draft, "check", f"Template {template.name} saved." if template else "")


async def show_columns_again(
    request: Request, runtime: Runtime, visitor: Visitor, draft: Draft, filled: FilledColumns
) -> Response:
    """The page as it is without what was typed."""
    try:
        review = await review_draft(runtime, draft)
    except Refused as refused:
        return lead_from(draft, refused)
    return await show_page(request, runtime, visitor, draft, review, filled)


async def show_page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    draft: Draft,
    review: ColumnReview,
    filled: FilledColumns,
) -> Response:
    return render_columns(
        request,
        visitor,
        "wizard/columns.html",
        review,
        filled,
        {"save": "no", "name": ""},
        frame=show_frame(draft, "columns"),
        seen=draft.file_mark,
        warnings=warn(review, draft),
        uses=await load_uses(runtime, visitor, review),
        command=write_command(request, runtime, draft, review, str(filled.form.values.get("name") or "")),
    )
