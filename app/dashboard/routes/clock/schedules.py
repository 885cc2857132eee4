"""Schedules: what is started by the clock, when next, and what came of it; paused, resumed and deleted."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.script import write_curl
from app.dashboard.views.clock.form import body_of_schedule
from app.dashboard.views.clock.request import facts_of_request, others_of_request
from app.dashboard.views.clock.schedules import describe_schedule
from app.dashboard.visitor import MayReadSchedules, MayWriteSchedules
from app.schedules import stored
from app.web.caller import OpenRuntime, write_as
from app.web.declared.schedules import ensure_may_start
from app.web.links import base_url

router = APIRouter(prefix="/app/schedules")


@router.get("")
async def show_schedules(request: Request, visitor: MayReadSchedules, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        now = await runtime.now(session)
        found = await stored.list_schedules(session, visitor.account_id)
    lines = [describe_schedule(each, now) for each in found]
    script = write_curl(base_url(request, runtime), "/schedules")
    return render_page(request, visitor, "clock/schedules.html", lines=lines, script=script)


@router.get("/{schedule_id}")
async def show_schedule(
    request: Request, schedule_id: str, visitor: MayReadSchedules, runtime: OpenRuntime
) -> Response:
    async with runtime.database.read() as session:
        now = await runtime.now(session)
        schedule = await stored.load_schedule(session, visitor.account_id, schedule_id)
    body, others = body_of_schedule(schedule), others_of_request(schedule.request)
    return render_page(
        request,
        visitor,
        "clock/schedule.html",
        schedule=schedule,
        line=describe_schedule(schedule, now),
        facts=facts_of_request(schedule.request),
        others=json.dumps(others, indent=2, ensure_ascii=False) if others else "",
        may_write=visitor.has_scope("schedules:write"),
        script=write_curl(base_url(request, runtime), f"/schedules/{schedule.id}", method="PUT", body=body),
    )


@router.post("/{schedule_id}/pause")
async def pause(schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await stored.pause_schedule(session, visitor.account_id, schedule_id)
    return redirect(f"/app/schedules/{schedule_id}", "Paused. It starts nothing until it is resumed.")


@router.post("/{schedule_id}/resume")
async def resume(schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """What was missed meanwhile is not made up for."""
    async with write_as(visitor.caller, runtime) as session:
        schedule = await stored.load_schedule(session, visitor.account_id, schedule_id)
        await ensure_may_start(session, visitor.caller, schedule)
        now = await runtime.now(session)
        await stored.resume_schedule(session, visitor.account_id, schedule_id, now=now)
    return redirect(f"/app/schedules/{schedule_id}", "Resumed.")


@router.get("/{schedule_id}/delete")
async def ask(request: Request, schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        schedule = await stored.load_schedule(session, visitor.account_id, schedule_id)
    return render_page(request, visitor, "clock/delete_schedule.html", schedule=schedule)


@router.post("/{schedule_id}/delete")
async def delete(schedule_id: str, visitor: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await stored.delete_schedule(session, visitor.account_id, schedule_id)
    return redirect("/app/schedules", "Schedule deleted.")
