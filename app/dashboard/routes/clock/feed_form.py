"""A new feed, and a change of one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.clock.choices import load_choices
from app.dashboard.views.clock import form as shown
from app.dashboard.visitor import MayReadConnections, MayWriteFeeds, Visitor
from app.errors import Refused
from app.feeds.feed import Feed
from app.feeds.stored import WATCHES, create_feed, load_feed, replace_feed
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.declared.feeds import declare_feed

router = APIRouter(prefix="/app/feeds")


@router.get("/new")
async def show_new(
    request: Request, visitor: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime, *, connection: str = ""
) -> Response:
    """`connection`: one that is chosen already."""
    return await answer_form(request, visitor, runtime, None, FilledForm(shown.values_of_feed(None, connection)))


async def answer_form(
    request: Request, visitor: Visitor, runtime: Runtime, feed: Feed | None, form: FilledForm
) -> Response:
    intervals = [(str(seconds), words) for seconds, words in shown.INTERVALS.items()]
    every = form.value("every")
    return render_page(
        request,
        visitor,
        "clock/feed_form.html",
        422 if form.complaints else 200,
        feed=feed,
        form=form,
        choices=await load_choices(runtime, visitor, WATCHES),
        intervals=intervals if every in dict(intervals) else [*intervals, (every, f"{every} seconds")],
        words=shown,
    )


@router.post("/new")
async def create(request: Request, visitor: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime) -> Response:
    values = shown.read_values(await read_form(request), shown.FEED_FIELDS)
    return await save(request, visitor, runtime, None, values)


async def save(
    request: Request, visitor: Visitor, runtime: Runtime, feed: Feed | None, values: Mapping[str, Any]
) -> Response:
    """Checks the values as the API does, and shows the form again with what is wrong."""
    account_id = visitor.account_id
    form = FilledForm(values).complain(shown.find_missing(values))
    if form.complaints:
        return await answer_form(request, visitor, runtime, feed, form)
    try:
        async with runtime.heavy_reads.turn(account_id):
            declared = await declare_feed(runtime, visitor.caller, shown.build_feed(values, feed))
        async with write_as(visitor.caller, runtime) as session:
            now = await runtime.now(session)
            if feed is None:
                saved = await create_feed(session, account_id, declared, now, created_by=visitor.caller.id)
            else:
                saved = await replace_feed(session, account_id, feed.id, declared, now)
    except Refused as refused:
        return await answer_form(request, visitor, runtime, feed, form.refused(refused, shown.FIELDS))
    return redirect(f"/app/feeds/{saved.id}", "Feed saved." if feed else "Feed created.")


@router.get("/{feed_id}/change")
async def show_change(
    request: Request, feed_id: str, visitor: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    feed = await load(runtime, visitor, feed_id)
    return await answer_form(request, visitor, runtime, feed, FilledForm(shown.values_of_feed(feed)))


async def load(runtime: Runtime, visitor: Visitor, feed_id: str) -> Feed:
    async with runtime.database.read() as session:
        return await load_feed(session, visitor.account_id, feed_id)


@router.post("/{feed_id}/change")
async def change(
    request: Request, feed_id: str, visitor: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    feed = await load(runtime, visitor, feed_id)
    values = shown.read_values(await read_form(request), shown.FEED_FIELDS)
    return await save(request, visitor, runtime, feed, values)
