"""A mapping template: what it says of each column, changed and renamed."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect
from app.dashboard.routes.columns.filled import NEXT, FilledColumns, read_columns, read_number
from app.dashboard.routes.columns.page import MAY_WRITE, render_columns, warn_of_template
from app.dashboard.routes.columns.saving import build_change
from app.dashboard.routes.templates.listed import TEMPLATES
from app.dashboard.script import write_curl
from app.dashboard.views.options import choices
from app.dashboard.views.options.fields import FIELDS, read_options, show_options
from app.dashboard.views.options.limits import list_limits
from app.dashboard.views.templates.facts import find_options, list_facts
from app.dashboard.visitor import MayReadMappings, MayWriteMappings, Visitor
from app.drafts.columns.review import ColumnReview
from app.drafts.columns.template import list_names, load_template_type, review_template
from app.drafts.columns.verdict import find_doubles
from app.drafts.draft import mark
from app.errors import Complaint, Refused
from app.mappings.declaring.options import find_changed
from app.mappings.templates.stored import StoredTemplate, TemplateUse, list_uses, load_template
from app.runtime import Runtime
from app.web.caller import OpenRuntime
from app.web.declared.mappings import replace_mapping
from app.web.links import base_url

router = APIRouter(prefix=TEMPLATES)
CHANGED: Final = "The template was changed meanwhile. This is what it says now"


@dataclass(frozen=True, slots=True)
class OpenTemplate:
    template: StoredTemplate
    uses: list[TemplateUse]


async def open_template(runtime: Runtime, visitor: Visitor, template_id: str) -> OpenTemplate:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        template = await load_template(session, visitor.account_id, template_id)
        return OpenTemplate(template, await list_uses(session, visitor.account_id, template_id))


@router.get("/{template_id}")
async def show(request: Request, template_id: str, visitor: MayReadMappings, runtime: OpenRuntime) -> Response:
    opened = await open_template(runtime, visitor, template_id)
    resource = await load_template_type(runtime, visitor.account_id, opened.template)
    review = await review_template(runtime, visitor.account_id, opened.template, resource)
    query = request.query_params
    number, only = read_number(query.get("page", "")), query.get("only") == "true"
    filled = FilledColumns({}, FilledForm({"name": opened.template.name}), "", number, only)
    return show_page(request, runtime, visitor, opened, review, filled)


@router.post("/{template_id}")
async def change(request: Request, template_id: str, visitor: MayWriteMappings, runtime: OpenRuntime) -> Response:
    """Stores what is shown. A page of several is stored when another one is asked for."""
    opened = await open_template(runtime, visitor, template_id)
    resource = await load_template_type(runtime, visitor.account_id, opened.template)
    form = await read_form(request)
    if text_of(form, "seen") not in ("", mark(opened.template.wire)):
        told = FilledForm({"name": opened.template.name}).complain([Complaint("", CHANGED)])
        review = await review_template(runtime, visitor.account_id, opened.template, resource)
        return show_page(request, runtime, visitor, opened, review, FilledColumns({}, told, "", 1, only=False))
    filled = read_columns(form, list_names(opened.template.as_mapping()), resource)
    review = await review_template(runtime, visitor.account_id, opened.template, resource, filled.chosen)
    options, mistakes = read_options(form)
    filled = filled.complaining([] if filled.form.complaints else [*find_doubles(review), *mistakes])
    if filled.form.complaints or filled.go == "check":
        return show_page(request, runtime, visitor, opened, review, filled)
    try:
        changed = find_changed(find_options(opened.template), options)
        body = build_change(review, text_of(form, "name"), changed)
        await replace_mapping(runtime, visitor.caller, opened.template, body)
    except Refused as refused:
        if refused.code not in ("invalid", "name_taken"):
            raise
        return show_page(request, runtime, visitor, opened, review, filled.refused(refused, FIELDS))
    here = f"{TEMPLATES}/{template_id}"
    return redirect(here, "Template saved.") if filled.go == NEXT else redirect(filled.address(here))


def show_page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    opened: OpenTemplate,
    review: ColumnReview,
    filled: FilledColumns,
) -> Response:
    template = opened.template
    body = build_change(review, template.name, {})
    command = write_curl(base_url(request, runtime), "/mappings", body={**body, "type": template.type})
    return render_columns(
        request,
        visitor,
        "templates/template.html",
        review,
        filled,
        show_options(find_options(template)),
        template=template,
        uses=opened.uses,
        seen=mark(template.wire),
        facts=list_facts(review, options=not visitor.has_scope(MAY_WRITE)),
        choices=choices,
        limits=list_limits(None, removes=True),
        may_replace=visitor.has_scope("imports:delete"),
        warnings=warn_of_template(review),
        command=command,
    )
