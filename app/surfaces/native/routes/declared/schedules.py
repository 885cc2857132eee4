"""Schedules: what an account has started by the clock."""

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.runtime import Runtime
from app.schedules import stored
from app.schedules.schedule import Schedule as StoredSchedule
from app.storage.database import ReadSession
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.schedules import render_schedule
from app.surfaces.native.wire.declared.schedules import Schedule, ScheduleList
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadSchedules, MayWriteSchedules, OpenRuntime, write_as
from app.web.declared.schedules import SCHEDULE_BODY, declare_schedule, ensure_may_start
from app.web.refusals import refusals

router = build_router("/schedules", "schedules")


@router.get("", response_model=ScheduleList, responses=refusals(401, 403, 503))
async def list_schedules(caller: MayReadSchedules, runtime: OpenRuntime) -> Response:
    """List the account's schedules without what they request, ordered by name."""
    async with runtime.database.read() as session:
        found, now = await stored.list_schedules(session, caller.account_id), await runtime.now(session)
    results = [render_schedule(each, now=now, whole=False) for each in found]
    return Response(ScheduleList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=Schedule,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=SCHEDULE_BODY,
)
async def create_schedule(request: Request, caller: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """Have imports from a connection, exports or item syncs started by the clock.

    The key needs the scopes for what is started, too. Afterwards the schedule belongs to the account, and goes on when
    the key is revoked.
    """
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    declared = await declare_schedule(runtime, caller, body)
    async with write_as(caller, runtime) as session:
        now = await runtime.now(session)
        created = await stored.create_schedule(session, caller.account_id, declared, now=now)
        return await answer(session, runtime, created, 201)


async def answer(session: ReadSession, runtime: Runtime, schedule: StoredSchedule, status: int = 200) -> Response:
    body = render_schedule(schedule, now=await runtime.now(session))
    return Response(body.encoded(), status, media_type=translate.JSON)


@router.get("/{schedule_id}", response_model=Schedule, responses=refusals(401, 403, 404, 503))
async def get_schedule(schedule_id: str, caller: MayReadSchedules, runtime: OpenRuntime) -> Response:
    """Read a schedule: when it is started next, and what has become of the last start. It can be sent back as it is."""
    async with runtime.database.read() as session:
        return await answer(session, runtime, await stored.load_schedule(session, caller.account_id, schedule_id))


@router.put(
    "/{schedule_id}",
    response_model=Schedule,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=SCHEDULE_BODY,
)
async def put_schedule(request: Request, schedule_id: str, caller: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """Replace a schedule. One that is paused stays paused, and what it has started goes on."""
    await ensure_there(runtime, caller, schedule_id)  # what is not there is refused before the body is read
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    declared = await declare_schedule(runtime, caller, body)
    async with write_as(caller, runtime) as session:
        now = await runtime.now(session)
        replaced = await stored.replace_schedule(session, caller.account_id, schedule_id, declared, now=now)
        return await answer(session, runtime, replaced)


async def ensure_there(runtime: Runtime, caller: Caller, schedule_id: str) -> None:
    async with runtime.database.read() as session:
        await stored.load_schedule(session, caller.account_id, schedule_id)


@router.delete("/{schedule_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_schedule(schedule_id: str, caller: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """Delete a schedule. What it has started goes on."""
    async with write_as(caller, runtime) as session:
        await stored.delete_schedule(session, caller.account_id, schedule_id)
    return Response(status_code=204)


@router.post("/{schedule_id}/pause", response_model=Schedule, responses=refusals(401, 403, 404, 503))
async def pause_schedule(schedule_id: str, caller: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """Start nothing until it is resumed. What it has started goes on."""
    async with write_as(caller, runtime) as session:
        return await answer(session, runtime, await stored.pause_schedule(session, caller.account_id, schedule_id))


@router.post("/{schedule_id}/resume", response_model=Schedule, responses=refusals(401, 403, 404, 503))
async def resume_schedule(schedule_id: str, caller: MayWriteSchedules, runtime: OpenRuntime) -> Response:
    """Go on after a pause, at the next time by the clock. What was missed meanwhile is not made up for."""
    async with write_as(caller, runtime) as session:
        await ensure_may_start(session, caller, await stored.load_schedule(session, caller.account_id, schedule_id))
        now = await runtime.now(session)
        resumed = await stored.resume_schedule(session, caller.account_id, schedule_id, now=now)
        return await answer(session, runtime, resumed)
