"""The last step of the wizard: everything in one list, a name, and the button that starts the import, once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.wizard.draft import (
    BASE,
    NO_MAPPING,
    ensure_may_fetch,
    ensure_may_use,
    find_other_page,
    go_to,
    open_draft,
)
from app.dashboard.views.options import choices
from app.dashboard.views.options.fields import read_options, show_options
from app.dashboard.views.options.limits import list_limits
from app.dashboard.views.wizard.frame import show_frame
from app.dashboard.views.wizard.script import script_of_draft
from app.dashboard.views.wizard.summary import list_chosen
from app.dashboard.visitor import MayWriteImports, Visitor
from app.dashboard.words import count_of
from app.drafts.draft import Draft, choose
from app.drafts.run_choice import find_limits, find_run_options, read_run_choices, suggest_name
from app.drafts.start import StartedDraft, load_chosen_mapping, start_import
from app.drafts.type_choice import find_options
from app.errors import Refused
from app.imports.intake import Submission
from app.mappings.declaring.options import removes_records
from app.mappings.mapping import Mapping as ColumnMapping
from app.runs.holding.defaults import load_defaults
from app.runtime import Runtime
from app.web.caller import OpenRuntime, ensure_may_replace, write_as
from app.web.failures import STATUSES
from app.web.links import base_url
from app.web.requests import request_id

router = APIRouter(prefix=f"{BASE}/{{draft_id}}/run")
CHANGED: Final = "What was chosen was changed meanwhile. Look at it once more"
# What is told on the page of the step; anything else is a page of its own.
TOLD_HERE = ("invalid", "queue_full", "not_found", "gone", "secrets_locked", "unreadable_file", "empty_file")


@router.get("")
async def show(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "run"):
        return elsewhere
    return await show_run(request, runtime, visitor, draft)


@router.post("")
async def run(request: Request, draft_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Starts it. Sent twice it leads to the same import. Unless it could be started the draft is as before."""
    draft = await open_draft(runtime, visitor, draft_id)
    if elsewhere := find_other_page(draft, "run"):
        return elsewhere
    ensure_may_fetch(visitor, draft.source)
    ensure_may_use(visitor, draft.choices)
    posted = await read_form(request)
    if text_of(posted, "seen") not in ("", draft.whole_mark):
        return await show_run(request, runtime, visitor, draft, posted, Refused("invalid", CHANGED))
    options, mistakes = read_options(posted)
    given = {"name": text_of(posted, "name"), "confirmEmail": text_of(posted, "confirmEmail"), **options}
    try:
        async with write_as(visitor.caller, runtime) as session:
            mapping = await load_chosen_mapping(session, draft)
            draft = await choose(session, draft, read_run_choices(draft, mapping, given, mistakes))
        sender, sent_as = visitor.caller.identity, request_id(request)
        return lead_on(await start_import(runtime, draft, sender, request_id=sent_as, check=check_for(visitor)))
    except Refused as refused:
        if refused.code not in TOLD_HERE:
            raise
        draft = await open_draft(runtime, visitor, draft_id)  # it may have become an import meanwhile
        elsewhere = find_other_page(draft, "run")
        return elsewhere or await show_run(request, runtime, visitor, draft, posted, refused)


def check_for(visitor: Visitor) -> Callable[[Submission], None]:
    """Whatever says that the file replaces what is there, a choice or a template."""
    return lambda submission: ensure_may_replace(visitor.caller, replaces=submission.options.removes)


def lead_on(started: StartedDraft) -> Response:
    if len(started.runs) == 1 and not started.left:
        return redirect(f"/app/imports/{started.runs[0].id}")
    notice = f"{count_of(len(started.runs), 'import')} started."
    if started.left:
        notice += f" {count_of(started.left, 'file')} found no room in the queue: import them when there is room again."
    return redirect("/app/jobs", notice)


async def show_run(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    draft: Draft,
    posted: FormData | None = None,
    refused: Refused | None = None,
) -> Response:
    """`posted` is shown in place of what was chosen before."""
    try:
        async with runtime.database.read() as session:
            mapping = await load_chosen_mapping(session, draft)
            account = await load_defaults(session, visitor.account_id)
    except Refused:
        return go_to(draft, "type", NO_MAPPING)
    form, found = FilledForm(show_choices(draft, mapping) | dict(posted or {})), find_options(draft.choices, mapping)
    full = refused is not None and refused.code == "queue_full"
    return render_page(
        request,
        visitor,
        "wizard/run.html",
        STATUSES[refused.code] if refused else 200,
        frame=show_frame(draft, "run"),
        form=form if refused is None or full else form.refused(refused),
        draft=draft,
        full=refused.detail if refused and full else "",
        chosen=list_chosen(draft, mapping),
        script=script_of_draft(draft, mapping, base_url(request, runtime)),
        limits=list_limits(find_limits(mapping, account, replaces=found["replace"]), removes=removes_records(found)),
        choices=choices,
        may_mail=runtime.mailer is not None,
    )


def show_choices(draft: Draft, mapping: ColumnMapping) -> dict[str, Any]:
    """The values of the fields."""
    name = draft.choices.get("name") or suggest_name(draft, datetime.now(UTC))
    shown = show_options({**find_options(draft.choices, mapping), **find_run_options(draft, mapping)})
    return {**shown, "name": name, "confirmEmail": draft.choices.get("confirmEmail")}
