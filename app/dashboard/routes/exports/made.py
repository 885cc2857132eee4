"""A new export, or one like another: what, in which form, and where to."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect
from app.dashboard.routes.exports.again import find_export
from app.dashboard.routes.exports.form import MOST_ROWS, SentExport, place_complaints, read_export, read_values
from app.dashboard.routes.exports.page import LEAST_ROWS, OpenForm, render_form
from app.dashboard.routes.exports.tried import try_destination
from app.dashboard.views.exports.choices import find_fullest
from app.dashboard.views.exports.filled import count_rows, fill
from app.dashboard.visitor import MayWriteExports, Visitor
from app.declarations.stored_records import count_stored
from app.errors import Refused
from app.exports.intake import ExportRequest, submit_export
from app.exports.layout import load_selected
from app.mappings.mapping import INLINE
from app.runtime import Runtime
from app.web.caller import OpenRuntime
from app.web.declared.exports import ExportBody, build_request, ensure_may_export
from app.web.failures import STATUSES
from app.web.once.form import read_form_once
from app.web.requests import request_id
from app.web.surface import parse_shape

router = APIRouter(prefix="/app/exports")


@router.get("/new")
async def new_page(request: Request, visitor: MayWriteExports, runtime: OpenRuntime, type: str = "") -> Response:
    members = {"type": type or await suggest_type(runtime, visitor)}
    return await render_form(request, visitor, runtime, OpenForm(fill(members), members))


async def suggest_type(runtime: Runtime, visitor: Visitor) -> str:
    async with runtime.database.read() as session:
        return find_fullest(await count_stored(session, visitor.account_id))


@router.post("/new")
async def make(request: Request, visitor: MayWriteExports, runtime: OpenRuntime) -> Response:
    """Starts the export; or adds a row, shows another type, tests a destination: then all that was typed stays."""
    values = await read_values(request)
    sent, act = read_export(values), values.pop("do", "")
    if not act:
        return await start(request, visitor, runtime, values, sent)
    opened = OpenForm(values, sent.members)
    kind, _, number = act.partition("-")
    if kind == "add" and number in MOST_ROWS:
        most = min(count_rows(values, number) + 1, MOST_ROWS[number])
        opened = replace(opened, rows={**LEAST_ROWS, number: most})
    if kind == "test" and number.isdecimal():
        opened = await try_destination(runtime, visitor, opened, int(number))
    return await render_form(request, visitor, runtime, opened)


async def start(
    request: Request, visitor: Visitor, runtime: Runtime, values: Mapping[str, str], sent: SentExport
) -> Response:
    """Starts the export, or leads to the one that the same form has started before."""
    form = read_form_once(runtime, visitor.caller, request_id(request), values, values.get("once", ""))
    started = await form.find_run()
    try:
        if started is None:
            wanted = await build_wanted(request, visitor, runtime, values, sent)
            started = (await submit_export(runtime, replace(wanted, sender=form.sender))).id
    except Refused as refused:
        if refused.code in ("not_allowed", "not_authenticated"):
            raise
        started = await form.find_run()  # its twin may have been faster, and have taken the last place in the queue
        if started is None:
            opened = OpenForm(values, sent.members, place_complaints(refused, sent.fields))
            return await render_form(request, visitor, runtime, opened, status=STATUSES[refused.code])
    return redirect(f"/app/exports/{started}", notice="Export started.")


async def build_wanted(
    request: Request, visitor: Visitor, runtime: Runtime, values: Mapping[str, str], sent: SentExport
) -> ExportRequest:
    """Raises Refused: invalid, not_allowed; not_found, gone (the export before)."""
    body = parse_shape(ExportBody, dict(sent.members))
    ensure_may_export(visitor.caller, body.mapping_id, body.destinations)
    wanted = build_request(visitor.caller, body, request_id(request))
    if not values.get("parent"):
        return wanted
    keeps_mapping = values.get("mappingId") == INLINE
    try:
        parent = await find_export(runtime, visitor, values["parent"])
    except Refused:
        if keeps_mapping:
            raise
        return wanted  # the one before was deleted meanwhile, and nothing of it is needed
    same_mapping = keeps_mapping and parent.type == body.type
    selected = load_selected(parent) if same_mapping else wanted.selected
    return replace(wanted, parent_id=parent.id, selected=selected)
