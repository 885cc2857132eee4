"""Correct here: bad values are corrected on a page, and the rows concerned are imported again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.views.fix.form import Body, read_fields
from app.dashboard.views.fix.page import MOST_ROWS, propose, view_fix
from app.dashboard.views.runs.badge import title_of
from app.dashboard.visitor import MayWriteImports, Visitor
from app.errors import Complaint, Refused
from app.imports.corrections.correction import parse_corrections
from app.imports.corrections.submission import submit_corrected
from app.imports.corrections.values import count_values
from app.imports.corrections.ways import list_ways
from app.runs.model import Run
from app.runs.problems import load_first
from app.runs.status import find_run
from app.runtime import Runtime
from app.web.admission import admit_import
from app.web.caller import OpenRuntime, ensure_may_replace
from app.web.failures import STATUSES
from app.web.once.form import SentForm, new_token, read_form_once
from app.web.requests import request_id

router = APIRouter(prefix="/app/runs/{run_id}")
# How the members of a correction are called here.
WORDS: Final = {"dateFormat": "The way dates are written", "to": "What the value should be", "column": "The column"}
NOTHING: Final = "Say of at least one value, column or cell what it should be"


@router.get("/fix")
async def show_fix(request: Request, run_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    return await render_fix(request, visitor, runtime, await find_import(runtime, visitor, run_id))


@router.post("/fix")
async def fix(request: Request, run_id: str, visitor: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Starts the import of the rows concerned, or leads to the one that the same form has started before."""
    sent = await read_form(request)
    values = {name: value for name, value in sent.multi_items() if isinstance(value, str)}
    form = read_form_once(runtime, visitor.caller, request_id(request), values, values.get("once", ""))
    run, fields = await find_import(runtime, visitor, run_id), dict(read_fields(values))
    started = await form.find_run()
    try:
        started = started or await start(request, runtime, visitor, run, list(fields.values()), form)
    except Refused as refused:
        if refused.code in ("not_allowed", "not_authenticated"):
            raise
        started = await form.find_run()  # its twin may have been faster
        if started is None:
            filled = FilledForm(values).refused(name_fields(refused), place_complaints(refused, list(fields)))
            return await render_fix(request, visitor, runtime, run, filled, STATUSES[refused.code])
    return redirect(f"/app/runs/{started}", "The corrected rows are imported.")


async def start(
    request: Request, runtime: Runtime, visitor: Visitor, run: Run, given: Sequence[Body], form: SentForm
) -> str:
    """The id of the new import. Raises Refused: invalid where nothing is corrected, not_allowed, and as
    `submit_corrected` does."""
    ensure_may_replace(visitor.caller, replaces=run.deletes)
    if not given:
        raise Refused("invalid", NOTHING, [Complaint("", NOTHING)])
    wanted = parse_corrections({"corrections": [*given]}).corrections
    async with admit_import(runtime, visitor.caller):
        accepted = await submit_corrected(runtime, run, wanted, sender=form.sender, request_id=request_id(request))
    return accepted.id


async def find_import(runtime: Runtime, visitor: Visitor, run_id: str) -> Run:
    """Raises Refused: not_found, gone."""
    days = runtime.settings.retention_days
    async with runtime.database.read() as session:
        return await find_run(session, visitor.account_id, run_id, retention_days=days)


async def render_fix(
    request: Request,
    visitor: Visitor,
    runtime: Runtime,
    run: Run,
    filled: FilledForm | None = None,
    status: int = 200,
) -> Response:
    found = await count_values(runtime, run)
    async with runtime.heavy_reads.turn(visitor.account_id):
        async with runtime.database.read() as session:
            problems = await load_first(session, run.id, rows=MOST_ROWS)
        ways = await asyncio.to_thread(list_ways, run)
    view = view_fix(run, found, problems, ways)
    form = FilledForm(propose(run, view)) if filled is None else filled
    once = form.value("once") or new_token()
    return render_page(
        request, visitor, "runs/fix.html", status, run=run, title=title_of(run), view=view, form=form, once=once
    )


def name_fields(refused: Refused) -> Refused:
    """The same in the words of the page."""
    complaints = [
        replace(each, reason=each.reason.replace(f"`{each.path}`", WORDS.get(each.path.rpartition(".")[2], "It"), 1))
        for each in refused.complaints
    ]
    return Refused(refused.code, refused.detail, complaints)


def place_complaints(refused: Refused, fields: Sequence[str]) -> dict[str, str]:
    """The field of the form that each complaint about a correction is about."""
    placed = {}
    for each in refused.complaints:
        number = each.path.partition("[")[2].partition("]")[0]
        if number.isdecimal() and int(number) < len(fields):
            placed[each.path] = fields[int(number)]
    return placed
