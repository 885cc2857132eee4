"""What the columns of the file become that a new mapping template is made from, and its name."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect
from app.dashboard.routes.columns.filled import NEXT, FilledColumns, read_columns
from app.dashboard.routes.columns.page import render_columns, warn_of_template, write_command
from app.dashboard.routes.columns.saving import NEW as SAVE
from app.dashboard.routes.columns.saving import keep_choices, save_template
from app.dashboard.routes.templates.listed import TEMPLATES
from app.dashboard.routes.templates.new import NEW
from app.dashboard.routes.wizard.draft import open_draft
from app.dashboard.visitor import MayWriteMappings, Visitor
from app.drafts.columns.review import ColumnReview, load_draft_type, name_columns, review_draft
from app.drafts.columns.verdict import find_doubles
from app.drafts.draft import TEMPLATE, Draft, discard_draft, drop_files, not_found
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as

router = APIRouter(prefix=NEW)
Number = Annotated[int, Query(alias="page", ge=1, le=100)]


@router.get("/{draft_id}")
async def show(
    request: Request,
    draft_id: str,
    visitor: MayWriteMappings,
    runtime: OpenRuntime,
    number: Number = 1,
    only: bool = False,
) -> Response:
    draft = await open_template_draft(runtime, visitor, draft_id)
    review = await review_draft(runtime, draft)
    return show_page(request, runtime, visitor, draft, review, FilledColumns({}, FilledForm(), "", number, only))


@router.post("/{draft_id}")
async def save(request: Request, draft_id: str, visitor: MayWriteMappings, runtime: OpenRuntime) -> Response:
    """Keeps what is chosen, and makes the template when that is asked for: then the draft is done."""
    draft = await open_template_draft(runtime, visitor, draft_id)
    form = await read_form(request)
    filled = read_columns(form, name_columns(draft), await load_draft_type(runtime, draft))
    review = await review_draft(runtime, draft, filled.chosen)
    if not filled.form.complaints:
        filled = filled.complaining(find_doubles(review))
    if filled.form.complaints:
        return show_page(request, runtime, visitor, draft, review, filled)
    if filled.go != NEXT:
        if review.is_storable:
            await keep_choices(runtime, visitor, draft, review)
        return redirect(filled.address(f"{NEW}/{draft.id}"))
    try:
        template = await save_template(runtime, visitor, draft, review, SAVE, text_of(form, "name"))
    except Refused as refused:
        if refused.code not in ("invalid", "name_taken"):
            raise
        return show_page(request, runtime, visitor, draft, review, filled.refused(refused))
    await finish(runtime, visitor, draft)
    return redirect(f"{TEMPLATES}/{template.id}" if template else TEMPLATES, "Template saved.")


async def open_template_draft(runtime: Runtime, visitor: Visitor, draft_id: str) -> Draft:
    """One that a template comes of: that of an import is for those who import. Raises Refused("not_found")."""
    draft = await open_draft(runtime, visitor, draft_id)
    if draft.choices.get("purpose") != TEMPLATE:
        raise not_found()
    return draft


async def finish(runtime: Runtime, visitor: Visitor, draft: Draft) -> None:
    async with write_as(visitor.caller, runtime) as session:
        blob = await discard_draft(session, visitor.account_id, draft.id)
    await drop_files(runtime, [blob])


def show_page(
    request: Request, runtime: Runtime, visitor: Visitor, draft: Draft, review: ColumnReview, filled: FilledColumns
) -> Response:
    return render_columns(
        request,
        visitor,
        "templates/columns.html",
        review,
        filled,
        {"name": ""},
        draft=draft,
        warnings=warn_of_template(review),
        command=write_command(request, runtime, draft, review, str(filled.form.values.get("name") or "")),
    )
