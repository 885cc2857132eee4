"""Jobs: the queue, and the history of imports, exports and item syncs."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.live.filters import read_filters
from app.dashboard.live.jobs import PAGE_SIZE, TEMPLATE, find_troubles, read_queue_cards
from app.dashboard.render import render_page
from app.dashboard.views.runs.badge import KIND_WORDS, STATE_CHOICES
from app.dashboard.views.runs.jobs import chart_of, list_jobs
from app.dashboard.views.runs.scripts import script_of_import
from app.dashboard.views.wizard.drafts import show_drafts
from app.dashboard.visitor import MayReadRuns
from app.drafts.draft import list_drafts
from app.runs.overview.days import Day, count_daily
from app.runs.overview.makers import find_makers
from app.runs.status import Status, list_accepted
from app.web.caller import OpenRuntime
from app.web.links import base_url
from app.web.runs.reading import BEFORE_ALL, encode_run_cursor

router = APIRouter(prefix="/app/jobs")
CHART_DAYS: Final = 30
# What can be begun: words, path, scope. The last one is the main button.
BEGINNINGS: Final = (
    ("New export", "/app/exports/new", "exports:write"),
    ("New import", "/app/imports/new", "imports:write"),
)


@router.get("")
async def show_jobs(
    request: Request, visitor: MayReadRuns, runtime: OpenRuntime, cursor: str | None = None
) -> Response:
    """A page of the list, the newest first, with the card of the queue."""
    filters = read_filters(request)
    query = filters.query(visitor, cursor)
    troubles = await find_troubles(runtime)
    async with runtime.database.read() as session:
        queue = await read_queue_cards(session, runtime, visitor)
        found, more = await list_accepted(session, visitor.account_id, query, limit=PAGE_SIZE)
        makers = await find_makers(session, visitor.account_id, [each.run for each in found])
        drafts = await list_drafts(session, visitor.account_id) if visitor.has_scope("imports:write") else []
        days: list[Day] = []
        if cursor is None and not filters.any:
            now = await runtime.now(session)
            days = await count_daily(session, visitor.account_id, query.kinds, now=now, days=CHART_DAYS)
    return render_page(
        request,
        visitor,
        TEMPLATE,
        filters=filters,
        kinds=list(KIND_WORDS.items()),
        states=STATE_CHOICES,
        maker=makers.get(filters.by),
        begin=[(words, path) for words, path, scope in BEGINNINGS if visitor.has_scope(scope)],
        troubles=troubles,
        arrived=0,
        drafts=show_drafts(drafts),
        rows=list_jobs(found, makers, visitor),
        # A line needs two points.
        chart=chart_of(days) if sum(day.runs > 0 for day in days) > 1 else None,
        later=cursor is not None,
        first=filters.address("/app/jobs"),
        following=filters.address("/app/jobs", cursor=encode_run_cursor(found[-1].run)) if more else None,
        live=filters.address("/app/live", page="jobs", **seen_rows(found, first=cursor is None)),
        script=script_of_import(base_url(request, runtime)),
        **queue,
    )


def seen_rows(found: list[Status], *, first: bool) -> dict[str, str]:
    """What the stream of the page needs to know: the rows on it, and the newest, if it is the first page."""
    newest = encode_run_cursor(found[0].run) if found else BEFORE_ALL
    return {"ids": ",".join(each.run.id for each in found), "newest": newest if first else ""}
