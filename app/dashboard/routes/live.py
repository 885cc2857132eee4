"""The event stream of a page."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.sse import EventSourceResponse

from app.dashboard.live.filters import read_filters
from app.dashboard.live.jobs import PAGE_SIZE, LiveJobs
from app.dashboard.live.page import LivePage
from app.dashboard.live.run import LiveRun
from app.dashboard.live.stream import RETRY_MS, follow, has_room
from app.dashboard.session import load_session
from app.dashboard.visitor import FOLLOWING, MayReadRuns, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime
from app.web.requests import is_head
from app.web.server.protocol import STOPPING

router = APIRouter(prefix=FOLLOWING)
LIVE: Final = "Sluice-Live"
TOO_MANY: Final = "So many pages are already followed that there is no room for another one"


@router.get("")
async def follow_page(request: Request, visitor: MayReadRuns, runtime: OpenRuntime) -> Response:
    """Sends the regions of a page whenever they change. `page` says which: run, jobs."""
    page = await find_page(request, visitor, runtime)
    if "once" in request.query_params:  # for browsers in which too many pages are open
        moment = await page.read()
        return HTMLResponse("".join(moment.regions.values()), headers={LIVE: "ended" if moment.ended else "follows"})
    if is_head(request):
        return Response(media_type=EventSourceResponse.media_type)
    streams, holders = runtime.under_way.streams, (visitor.session.id, visitor.caller.id)
    if not has_room(streams, holders):
        raise Refused("too_many_reads", TOO_MANY, retry_after=RETRY_MS // 1_000)
    stopping = request.scope[STOPPING] = asyncio.Event()

    async def still_in() -> bool:
        found = await load_session(request, runtime)
        return found is not None and (found.account_id, found.scopes) == (visitor.account_id, visitor.scopes)

    events = follow(page, stopping, still_in, streams, holders)
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})


async def find_page(request: Request, visitor: Visitor, runtime: Runtime) -> LivePage:
    """Raises Refused: not_found, gone, not_allowed, invalid."""
    given = request.query_params
    if given.get("page") == "run":
        run = LiveRun(runtime, visitor, given.get("run", ""))
        await run.read()
        return run
    if given.get("page") == "jobs":
        filters = read_filters(request)
        query = filters.query(visitor, given.get("newest"))
        ids = given.get("ids", "").split(",")[:PAGE_SIZE]
        return LiveJobs(runtime, visitor, ids, query, filters.address("/app/jobs"))
    raise Refused("not_found", "There is no such page to follow")
