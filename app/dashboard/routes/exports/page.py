"""The page on which an export is made: what it offers, and what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.connections.connection import list_connections
from app.dashboard.forms import FilledForm
from app.dashboard.render import render_page
from app.dashboard.routes.exports.form import MOST_ROWS
from app.dashboard.script import write_curl
from app.dashboard.views.connections.steps import StepView
from app.dashboard.views.exports import choices
from app.dashboard.views.exports.choices import ExportChoices
from app.dashboard.views.exports.filled import add_rows, count_rows
from app.dashboard.visitor import Visitor
from app.declarations.stored_records import count_stored
from app.declarations.types import load_resource
from app.errors import Complaint
from app.mappings.templates.stored import list_templates
from app.runtime import Runtime
from app.web.links import base_url
from app.web.once.form import new_token

NEW: Final = "/app/exports/new"
MOST_TEMPLATES: Final = 500  # that are offered
LEAST_ROWS: Final = {"where": 1, "destination": 1}


@dataclass(frozen=True, slots=True)
class TriedDestination:
    """How a test of a destination went: the number of its row, and the steps."""

    number: int
    steps: list[StepView]


@dataclass(frozen=True, slots=True)
class OpenForm:
    """`members` are what is typed as a request of the API; `parent` is the export that is made again."""

    values: Mapping[str, str]
    members: Mapping[str, Any]
    complaints: tuple[Complaint, ...] = ()
    tried: TriedDestination | None = None
    rows: Mapping[str, int] = field(default_factory=lambda: LEAST_ROWS)

    @property
    def form(self) -> FilledForm:
        return FilledForm(add_rows(self.values, self.rows)).complain(self.complaints)


async def find_choices(runtime: Runtime, visitor: Visitor, values: Mapping[str, str]) -> ExportChoices:
    """For the type that is chosen. Raises Refused("not_found") if there is none of that name."""
    account_id, type_ = visitor.account_id, values["type"]
    async with runtime.database.read() as session:
        counts = await count_stored(session, account_id)
        resource, _ = await load_resource(session, account_id, type_)
        rows, connections = [], []
        if visitor.has_scope("mappings:read"):
            page = await list_templates(session, account_id, type=type_, after=("", ""), limit=MOST_TEMPLATES)
            rows = list(page.rows)
        if visitor.has_scope("connections:read"):
            connections = await list_connections(session, runtime.vault, account_id)
    return ExportChoices(
        choices.list_types(counts),
        choices.list_templates(rows, inline=bool(values.get("inline"))),
        choices.list_destinations(connections),
        choices.list_fields(resource),
    )


async def render_form(
    request: Request, visitor: Visitor, runtime: Runtime, opened: OpenForm, *, status: int = 200
) -> Response:
    form, offered = opened.form, await find_choices(runtime, visitor, opened.values)
    rows = {kind: range(count_rows(form.values, kind)) for kind in MOST_ROWS}
    keep, value = choices.keep_chosen, form.value
    return render_page(
        request,
        visitor,
        "exports/new.html",
        status,
        form=form,
        types=offered.types,
        templates=keep(offered.templates, value("mappingId"), "A template that was deleted"),
        connections=[
            keep(offered.connections, value(f"destination-{n}-connection"), "A connection that was removed")
            for n in rows["destination"]
        ],
        delivers=len(offered.connections) > 1,
        fields=[keep(offered.fields, name, name) for n in rows["where"] for name in [value(f"where-{n}-field")]],
        words=choices,
        rows=rows,
        most=MOST_ROWS,
        tried=opened.tried,
        once=value("once") or new_token(),
        command=write_curl(base_url(request, runtime), "/exports", body=opened.members),
    )
