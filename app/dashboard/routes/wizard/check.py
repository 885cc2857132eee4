"""The fourth step of the wizard: the first rows are checked as the import would, and nothing is written."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm
from app.dashboard.render import render_page
from app.dashboard.routes.wizard.draft import (
    BASE,
    NO_MAPPING,
    ensure_may_fetch,
    ensure_may_use,
    find_other_page,
    go_to,
    lead_from,
    open_draft,
)
from app.dashboard.routes.wizard.run import TOLD_HERE, check_for, lead_on
from app.dashboard.views.wizard.check import show_check
from app.dashboard.views.wizard.frame import show_frame
from app.dashboard.visitor import MayWriteImports, Visitor
from app.drafts.check import check_draft
from app.drafts.draft import Draft, choose
from app.drafts.start import start_import
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.requests import request_id

router = APIRouter(prefix=f"{BASE}/{{draft_id}}/check")


@router.get("")
async def show(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """What cannot be checked at all, such as a column that is missing, is told as an error with the way to mend it."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "check"):
        return elsewhere
    ensure_may_use(visitor, draft.choices)
    return await show_step(request, runtime, visitor, draft)


async def show_step(
    request: Request, runtime: Runtime, visitor: Visitor, draft: Draft, not_started: Refused | None = None
) -> Response:
    """`not_started`: why the whole file could not be checked."""
    form, check = FilledForm(), None
    if not_started is not None:
        form = form.refused(not_started)
    try:
        check = await check_draft(runtime, draft)
    except Refused as refused:
        if refused.code != "invalid":
            return lead_from(draft, refused)
        if any(each.path == "mappingId" for each in refused.complaints):
            return go_to(draft, "type", NO_MAPPING)
        form = form.refused(refused)
    view = show_check(check, draft) if check else None
    status = 422 if form.complaints else 200
    frame = show_frame(draft, "check")
    return render_page(request, visitor, "wizard/check.html", status, frame=frame, form=form, draft=draft, check=view)


@router.post("/whole")
async def check_whole_file(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """A dry run of the whole file. The draft stays as it is, and is used up when that is committed."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "check"):
        return elsewhere
    ensure_may_fetch(visitor, draft.source)
    ensure_may_use(visitor, draft.choices)
    may, sent_as = check_for(visitor), request_id(request)
    try:
        started = await start_import(
            runtime, draft, visitor.caller.identity, request_id=sent_as, check=may, dry_run=True
        )
    except Refused as refused:
        if refused.code not in TOLD_HERE:
            raise
        return await show_step(request, runtime, visitor, draft, refused)
    return lead_on(started)


@router.post("")
async def go_on(draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Next: what was found is all right."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "check"):
        return elsewhere
    ensure_may_use(visitor, draft.choices)
    async with write_as(visitor.caller, runtime) as session:
        await choose(session, draft, {}, next_step="run")
    return go_to(draft, "run")
