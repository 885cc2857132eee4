"""An import from a previous one: which it is, what is copied, and the file as it is now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import render_page
from app.dashboard.routes.received import receive_file
from app.dashboard.routes.wizard.draft import ensure_may_fetch, ensure_room, go_to
from app.dashboard.views.wizard.again import show_changes, show_parent, show_parents
from app.dashboard.visitor import MayReadImports, MayWriteImports, Visitor
from app.drafts.again import copy_with_template, repeat_elsewhere, repeat_source, repeat_upload
from app.errors import Complaint, Refused
from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.status import RunQuery, find_run, list_accepted
from app.runtime import Runtime
from app.web.bodies.multipart import is_form
from app.web.caller import OpenRuntime
from app.web.failures import STATUSES

AGAIN = "/app/imports/again"
LISTED = 25
TOLD_HERE = ("invalid", "not_found", "secrets_locked", "empty_file", "unreadable_file", "too_large", "queue_full")

router = APIRouter(prefix=AGAIN)


@router.get("")
async def choose_one(request: Request, visitor: MayWriteImports, _: MayReadImports, runtime: OpenRuntime) -> Response:
    """The last imports."""
    async with runtime.database.read() as session:
        found, _more = await list_accepted(session, visitor.account_id, RunQuery([Kind.IMPORT], {}), limit=LISTED)
    return render_page(request, visitor, "wizard/again.html", parents=show_parents(found))


@router.get("/{import_id}")
async def show(
    request: Request, import_id: str, visitor: MayWriteImports, _: MayReadImports, runtime: OpenRuntime
) -> Response:
    parent = await find_parent(runtime, visitor, import_id)
    return render_parent(request, runtime, visitor, parent)


@router.post("/{import_id}")
async def repeat(
    request: Request, import_id: str, visitor: MayWriteImports, _: MayReadImports, runtime: OpenRuntime
) -> Response:
    """Makes a draft. With the columns as before it leads to the last step, else to the columns."""
    parent = await find_parent(runtime, visitor, import_id)
    try:
        await ensure_room(runtime, visitor)
        return await make_draft(request, runtime, visitor, parent)
    except Refused as refused:
        if refused.code not in TOLD_HERE:
            raise
        return render_parent(request, runtime, visitor, parent, refused)


async def make_draft(request: Request, runtime: Runtime, visitor: Visitor, parent: Run) -> Response:
    sender, may_use_templates = visitor.caller.identity, visitor.has_scope("mappings:read")
    choices = await copy_with_template(runtime, parent, may_use_templates=may_use_templates)
    if is_form(request):
        async with receive_file(request, runtime, visitor) as upload:
            draft, changed = await repeat_upload(runtime, parent, sender, upload, choices)
        return go_to(draft, "columns", show_changes(changed)) if changed else go_to(draft, "run")
    if text_of(await read_form(request), "do") == "elsewhere":
        return go_to(await repeat_elsewhere(runtime, parent, sender, choices), "source")
    ensure_may_fetch(visitor, parent.source)
    return go_to(await repeat_source(runtime, parent, sender, choices), "run")


async def find_parent(runtime: Runtime, visitor: Visitor, import_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await find_run(session, visitor.account_id, import_id, retention_days=days)


def render_parent(
    request: Request, runtime: Runtime, visitor: Visitor, parent: Run, refused: Refused | None = None
) -> Response:
    form = FilledForm({"file": ""})
    if refused is not None:
        place = "" if parent.source else "file"
        form = form.complain([Complaint(place, refused.detail)])
    limit, status = runtime.settings.max_file_bytes, STATUSES[refused.code] if refused else 200
    view = show_parent(parent)
    return render_page(request, visitor, "wizard/parent.html", status, parent=view, form=form, limit=limit)
