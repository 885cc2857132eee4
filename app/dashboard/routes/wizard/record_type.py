"""The second step of the wizard: which template or type, how the file is read, and what happens to what is there."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import render_page
from app.dashboard.routes.wizard.draft import BASE, ensure_may_use, find_other_page, go_to, open_draft
from app.dashboard.views.options import choices
from app.dashboard.views.options.fields import FIELDS, read_options, show_options
from app.dashboard.views.wizard.frame import show_frame
from app.dashboard.views.wizard.types import show_uses
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.draft import Draft
from app.drafts.fits import find_fits
from app.drafts.type_choice import choose_type, find_options, find_usable_mapping, tell_use
from app.errors import Refused
from app.mappings.declaring.options import removes_records
from app.runtime import Runtime
from app.web.caller import OpenRuntime, ensure_may_replace

router = APIRouter(prefix=BASE)


@router.get("/{draft_id}/type")
async def show(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    return find_other_page(draft, "type") or await show_type(request, runtime, visitor, draft)


@router.post("/{draft_id}/type")
async def store(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Next, or "Read again": then the page shows the file as it is read now."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "type"):
        return elsewhere
    given = await read_form(request)
    use, members, reads_again = text_of(given, "use"), read_members(given), text_of(given, "do") == "read"
    try:
        ensure_may_replace(visitor.caller, replaces=removes_records(members))
        kind, _, name = use.partition(":")
        ensure_may_use(visitor, {"mappingId": name} if kind == "template" else {})
        draft = await choose_type(runtime, draft, visitor.caller.identity, use, members, required=not reads_again)
    except Refused as refused:
        form = FilledForm({**dict(given), "use": use}).refused(refused, FIELDS)
        return await show_type(request, runtime, visitor, draft, form)
    if reads_again:
        return go_to(draft, "type")
    return go_to(draft, "columns" if draft.facts else "run")


def read_members(given: FormData) -> dict[str, Any]:
    """What the form says in the words of a request."""
    members, _ = read_options(given)
    if "hasHeader" in given:
        members["hasHeader"] = False if text_of(given, "hasHeader") == "false" else ""
    if "couponSetId" in given:
        members["couponSetId"] = text_of(given, "couponSetId")
    return members


async def show_type(
    request: Request, runtime: Runtime, visitor: Visitor, draft: Draft, form: FilledForm | None = None
) -> Response:
    async with runtime.database.read() as session:
        mapping = await find_usable_mapping(session, draft)
    fits = await find_fits(runtime, visitor.account_id, draft.facts.header if draft.facts else ())
    chosen, found = tell_use(draft.choices), find_options(draft.choices, mapping)
    stored = {**draft.choices, **show_options(found), "use": chosen}
    stored["hasHeader"] = "false" if draft.choices.get("hasHeader") is False else ""
    shown = form or FilledForm(stored)
    uses = show_uses(fits, shown.value("use"), templates=visitor.has_scope("mappings:read"))
    return render_page(
        request,
        visitor,
        "wizard/type.html",
        422 if shown.complaints else 200,
        frame=show_frame(draft, "type"),
        form=shown,
        draft=draft,
        uses=uses,
        choices=choices,
        may_replace=visitor.has_scope("imports:delete"),
        unfolded=any(each.path not in ("use", "") for each in shown.complaints),
    )
