"""Renders a page on which it is chosen what columns become."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm
from app.dashboard.render import render_page
from app.dashboard.routes.columns.filled import FilledColumns
from app.dashboard.routes.columns.saving import build_template
from app.dashboard.script import write_curl
from app.dashboard.views.columns.page import show_columns, write_form
from app.dashboard.visitor import Visitor
from app.drafts.columns.review import ColumnReview
from app.drafts.columns.verdict import find_lacking, find_warnings
from app.drafts.draft import Draft
from app.mappings.templates.stored import TemplateUse, list_uses
from app.resources.schema import UnknownColumns
from app.runtime import Runtime
from app.web.links import base_url

MAY_WRITE: Final = "mappings:write"


def render_columns(
    request: Request,
    visitor: Visitor,
    template: str,
    review: ColumnReview,
    filled: FilledColumns,
    values: Mapping[str, str],
    /,
    **context: Any,
) -> Response:
    """The page with what was `filled` in, and what is chosen so far. `values` are those of its other fields."""
    form = FilledForm({**write_form(review.columns), **values, **filled.form.values}, filled.form.complaints)
    return render_page(
        request,
        visitor,
        template,
        422 if form.complaints else 200,
        page=show_columns(review, number=filled.number, only=filled.only),
        review=review,
        form=form,
        may_save=visitor.has_scope(MAY_WRITE),
        **context,
    )


def unknown_of(draft: Draft, review: ColumnReview) -> UnknownColumns | None:
    """What is to happen to columns without a field: as somebody has chosen, or as the template says."""
    chosen = draft.choices.get("unknownColumns") or review.body.get("options", {}).get("unknownColumns")
    return chosen if chosen in ("ignore", "keep", "error") else None


def warn(review: ColumnReview, draft: Draft) -> list[str]:
    return list(find_warnings(review, unknown_of(draft, review)))


def warn_of_template(review: ColumnReview) -> list[str]:
    """A template may lack what an import needs: exports use them, too."""
    lacking = [each.reason for each in find_lacking(review)]
    return [*lacking, *find_warnings(review, None)]


def write_command(request: Request, runtime: Runtime, draft: Draft, review: ColumnReview, name: str) -> str:
    """The command that makes a template of what is chosen."""
    body = {**build_template(draft, review, name or "My template"), "type": review.resource.name}
    return write_curl(base_url(request, runtime), "/mappings", body=body)


async def load_uses(runtime: Runtime, visitor: Visitor, review: ColumnReview) -> Sequence[TemplateUse]:
    """What else uses the template that was begun with."""
    if review.base is None:
        return []
    async with runtime.database.read() as session:
        return await list_uses(session, visitor.account_id, review.base.id)
