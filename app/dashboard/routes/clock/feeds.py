"""Feeds: folders that are watched, what is in them, and what has become of each file."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.script import write_curl
from app.dashboard.views.clock.feeds import count_files, describe_feed, describe_file
from app.dashboard.views.clock.form import body_of_feed
from app.dashboard.visitor import MayReadFeeds, MayWriteFeeds, Visitor
from app.feeds import stored
from app.feeds.feed import Feed
from app.feeds.watch import check_now
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.declared.feeds import ensure_may_resume
from app.web.links import base_url

router = APIRouter(prefix="/app/feeds")
FILES: Final = 50  # on the page of a feed


@router.get("")
async def show_feeds(request: Request, visitor: MayReadFeeds, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        found = await stored.list_feeds(session, visitor.account_id)
    script = write_curl(base_url(request, runtime), "/feeds")
    lines = [describe_feed(each) for each in found]
    return render_page(request, visitor, "clock/feeds.html", lines=lines, script=script)


@router.get("/{feed_id}")
async def show_feed(request: Request, feed_id: str, visitor: MayReadFeeds, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        feed = await stored.load_feed(session, visitor.account_id, feed_id)
        files, more = await stored.list_files(session, feed, state=None, after=None, limit=FILES)
    body = body_of_feed(feed)
    return render_page(
        request,
        visitor,
        "clock/feed.html",
        feed=feed,
        line=describe_feed(feed),
        counts=count_files(feed),
        files=[describe_file(each) for each in files],
        more=more,
        may_write=visitor.has_scope("feeds:write"),
        script=write_curl(base_url(request, runtime), f"/feeds/{feed.id}", method="PUT", body=body),
        files_script=write_curl(base_url(request, runtime), f"/feeds/{feed.id}/files"),
    )


@router.post("/{feed_id}/pause")
async def pause(feed_id: str, visitor: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    await set_enabled(runtime, visitor, feed_id, enabled=False)
    return redirect(f"/app/feeds/{feed_id}", "Paused. Nothing is looked at, started, moved or deleted.")


async def set_enabled(runtime: Runtime, visitor: Visitor, feed_id: str, *, enabled: bool) -> None:
    async with write_as(visitor.caller, runtime) as session:
        now = await runtime.now(session)
        await stored.enable_feed(session, visitor.account_id, feed_id, now, enabled=enabled)


@router.post("/{feed_id}/resume")
async def resume(feed_id: str, visitor: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    feed = await load(runtime, visitor, feed_id)
    async with runtime.database.read() as session:
        await ensure_may_resume(session, visitor.caller, feed)
    await set_enabled(runtime, visitor, feed_id, enabled=True)
    return redirect(f"/app/feeds/{feed_id}", "Resumed. It looks at its folder at once.")


async def load(runtime: Runtime, visitor: Visitor, feed_id: str) -> Feed:
    async with runtime.database.read() as session:
        return await stored.load_feed(session, visitor.account_id, feed_id)


@router.post("/{feed_id}/check")
async def check(feed_id: str, visitor: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    """Looks at the folder while the visitor waits."""
    await load(runtime, visitor, feed_id)
    await check_now(runtime, visitor.account_id, feed_id)
    return redirect(f"/app/feeds/{feed_id}", "Looked at the folder.")


@router.get("/{feed_id}/delete")
async def ask(request: Request, feed_id: str, visitor: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    feed = await load(runtime, visitor, feed_id)
    return render_page(request, visitor, "clock/delete_feed.html", feed=feed, counts=count_files(feed))


@router.post("/{feed_id}/delete")
async def delete(feed_id: str, visitor: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await stored.delete_feed(session, visitor.account_id, feed_id)
    return redirect("/app/feeds", "Feed deleted.")
