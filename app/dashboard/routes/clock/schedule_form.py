"""A new schedule of one of the kinds, and a change of one."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.clock.choices import load_choices
from app.dashboard.views.clock import form as shown
from app.dashboard.views.clock.rhythm import RHYTHMS
from app.dashboard.views.clock.schedules import KINDS
from app.dashboard.visitor import MayWriteSchedules, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.schedules import stored
from app.schedules.schedule import Schedule, ScheduleKind
from app.web.caller import OpenRuntime, write_as
from app.web.declared.schedules import declare_schedule

router = APIRouter(prefix="/app/schedules")
ALL_KINDS: Final[Mapping[str, ScheduleKind]] = {kind: kind for kind in get_args(ScheduleKind)}


@router.get("/new")
async def show_new(
    request: Request, visitor: MayWriteSchedules, runtime: OpenRuntime, *, kind: str = "", sync: str = ""
) -> Response:
    """Without a `kind` it asks for one. `sync`: the item sync that is chosen already."""
    chosen = ALL_KINDS.get(kind)
    if chosen is None:
        return render_page(request, visitor, "clock/kinds.html")
    values = shown.values_of_schedule(None, {"syncId": sync})
    return await answer_form(request, visitor, runtime, (chosen, None), FilledForm(values))


async def answer_form(
    request: Request, visitor: Visitor, runtime: Runtime, of: tuple[ScheduleKind, Schedule | None], form: FilledForm
) -> Response:
    """`of`: the kind, and the schedule that is changed."""
    kind, schedule = of
    return render_page(
        request,
        visitor,
        "clock/schedule_form.html",
        422 if form.complaints else 200,
        kind=kind,
        kind_words=KINDS[kind],
        schedule=schedule,
        form=form,
        choices=await load_choices(runtime, visitor),
        rhythms=RHYTHMS,
        words=shown,
    )


@router.post("/new")
async def create(request: Request, visitor: MayWriteSchedules, runtime: OpenRuntime, *, kind: ScheduleKind) -> Response:
    values = shown.read_values(await read_form(request), shown.SCHEDULE_FIELDS)
    return await save(request, visitor, runtime, (kind, None), values)


async def save(
    request: Request,
    visitor: Visitor,
    runtime: Runtime,
    of: tuple[ScheduleKind, Schedule | None],
    values: Mapping[str, Any],
) -> Response:
    """Checks the values as the API does, and shows the form again with what is wrong."""
    kind, schedule = of
    body, mistakes = shown.build_schedule(kind, values, schedule)
    form = FilledForm(values).complain(mistakes)
    if mistakes:
        return await answer_form(request, visitor, runtime, of, form)
    try:
        declared = await declare_schedule(runtime, visitor.caller, body)
        async with write_as(visitor.caller, runtime) as session:
            now, account_id = await runtime.now(session), visitor.account_id
            if schedule is None:
                saved = await stored.create_schedule(session, account_id, declared, now=now)
            else:
                saved = await stored.replace_schedule(session, account_id, schedule.id, declared, now=now)
    except Refused as refused:
        return await answer_form(request, visitor, runtime, of, form.refused(refused, shown.FIELDS))
    return redirect(f"/app/schedules/{saved.id}", "Schedule saved." if schedule else "Schedule created.")


@router.get("/{schedule_id}/change")
async def show_change(request: Request, schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    schedule = await load(runtime, visitor, schedule_id)
    form = FilledForm(shown.values_of_schedule(schedule, {}))
    return await answer_form(request, visitor, runtime, (schedule.kind, schedule), form)


async def load(runtime: Runtime, visitor: Visitor, schedule_id: str) -> Schedule:
    async with runtime.database.read() as session:
        return await stored.load_schedule(session, visitor.account_id, schedule_id)


@router.post("/{schedule_id}/change")
async def change(request: Request, schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    schedule = await load(runtime, visitor, schedule_id)
    values = shown.read_values(await read_form(request), shown.SCHEDULE_FIELDS)
    return await save(request, visitor, runtime, (schedule.kind, schedule), values)
