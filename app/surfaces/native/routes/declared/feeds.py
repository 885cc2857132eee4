"""Feeds: folders on other servers that are watched, and whose files are imported as they come."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.feeds import stored
from app.feeds.feed import Feed, FeedDeclaration, FileState
from app.feeds.watch import check_now
from app.runtime import Runtime
from app.surfaces.native import feeds, translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared import feeds as wire
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import (
    MayReadConnections,
    MayReadFeeds,
    MayWriteFeeds,
    OpenRuntime,
    write_as,
)
from app.web.declared.feeds import FEED_BODY, declare_feed, ensure_may_resume
from app.web.links import link_to_same_path
from app.web.refusals import refusals

router = build_router("/feeds", "feeds")


@router.get("", response_model=wire.FeedList, responses=refusals(401, 403, 503))
async def list_feeds(caller: MayReadFeeds, runtime: OpenRuntime) -> Response:
    """List the account's feeds, ordered by name."""
    async with runtime.database.read() as session:
        listed = await stored.list_feeds(session, caller.account_id)
    results = [feeds.feed(each, whole=False) for each in listed]
    return Response(wire.FeedList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=wire.Feed,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=FEED_BODY,
)
async def create_feed(request: Request, caller: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime) -> Response:
    """Watch a folder: each version of a file that matches the pattern is imported once, oldest first.

    It requires the scopes that its imports would: `imports:write`, `connections:read`, and `mappings:read` for a
    mapping template. The feeds of an account take at most half of the places in its queue.
    """
    declaration = await read_declaration(request, caller, runtime)
    async with write_as(caller, runtime) as session:
        now = await runtime.now(session)
        created = await stored.create_feed(session, caller.account_id, declaration, now, created_by=caller.id)
    return answer(created, 201)


async def read_declaration(request: Request, caller: Caller, runtime: Runtime) -> FeedDeclaration:
    """Raises Refused: not_allowed, invalid, secrets_locked."""
    given = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with runtime.heavy_reads.turn(caller.account_id):
        return await declare_feed(runtime, caller, given)


def answer(feed: Feed, status: int = 200) -> Response:
    return Response(feeds.feed(feed).encoded(), status, media_type=translate.JSON)


@router.get("/{feed_id}", response_model=wire.Feed, responses=refusals(401, 403, 404, 503))
async def get_feed(feed_id: str, caller: MayReadFeeds, runtime: OpenRuntime) -> Response:
    """Read a feed: what it does, what its last look has found, and how far its files are."""
    return answer(await load(runtime, caller, feed_id))


async def load(runtime: Runtime, caller: Caller, feed_id: str) -> Feed:
    async with runtime.database.read() as session:
        return await stored.load_feed(session, caller.account_id, feed_id)


@router.put(
    "/{feed_id}",
    response_model=wire.Feed,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=FEED_BODY,
)
async def put_feed(
    request: Request, feed_id: str, caller: MayWriteFeeds, _: MayReadConnections, runtime: OpenRuntime
) -> Response:
    """Replace a feed. One that is paused stays so. What it has imported is not imported again, unless the connection is
    another one."""
    await load(runtime, caller, feed_id)  # what is not there is refused before the body is read
    declaration = await read_declaration(request, caller, runtime)
    async with write_as(caller, runtime) as session:
        now = await runtime.now(session)
        replaced = await stored.replace_feed(session, caller.account_id, feed_id, declaration, now)
    return answer(replaced)


@router.delete("/{feed_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def delete_feed(feed_id: str, caller: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    """Delete a feed and what it has seen. Imports that it has started go on, and their files stay where they are."""
    async with write_as(caller, runtime) as session:
        await stored.delete_feed(session, caller.account_id, feed_id)
    return Response(status_code=204)


@router.post("/{feed_id}/pause", response_model=wire.Feed, responses=refusals(401, 403, 404, 503))
async def pause_feed(feed_id: str, caller: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    """Pause a feed: nothing is looked at, started, moved or deleted. Imports that it has started go on."""
    return await set_enabled(feed_id, caller, runtime, enabled=False)


@router.post("/{feed_id}/resume", response_model=wire.Feed, responses=refusals(401, 403, 404, 503))
async def resume_feed(feed_id: str, caller: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    """Go on with a feed that was paused. It looks at its folder at once."""
    feed = await load(runtime, caller, feed_id)
    async with runtime.database.read() as session:
        await ensure_may_resume(session, caller, feed)
    return await set_enabled(feed_id, caller, runtime, enabled=True)


async def set_enabled(feed_id: str, caller: Caller, runtime: Runtime, *, enabled: bool) -> Response:
    async with write_as(caller, runtime) as session:
        now = await runtime.now(session)
        return answer(await stored.enable_feed(session, caller.account_id, feed_id, now, enabled=enabled))


@router.post("/{feed_id}/check", response_model=wire.Feed, responses=refusals(401, 403, 404, 503))
async def check_feed(feed_id: str, caller: MayWriteFeeds, runtime: OpenRuntime) -> Response:
    """Look at the folder now, and answer with what was found. A feed that is paused looks, too, and starts nothing."""
    await load(runtime, caller, feed_id)
    await check_now(runtime, caller.account_id, feed_id)
    return answer(await load(runtime, caller, feed_id))


@router.get("/{feed_id}/files", response_model=wire.FeedFileList, responses=refusals(401, 403, 404, 422, 503))
async def list_feed_files(
    request: Request,
    feed_id: str,
    caller: MayReadFeeds,
    runtime: OpenRuntime,
    *,
    status: FileState | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Response:
    """List the files that a feed has seen, with their imports and what has become of them. Files that left the folder
    are forgotten after the retention period of imports."""
    after = feeds.decode_file_cursor(cursor)
    async with runtime.database.read() as session:
        feed = await stored.load_feed(session, caller.account_id, feed_id)
        listed, more = await stored.list_files(session, feed, state=status, after=after, limit=limit)
    query = {"status": status, "limit": limit, "cursor": feeds.encode_file_cursor(listed[-1]) if more else None}
    links = Links(next=link_to_same_path(request, runtime, **query)) if more else Links()
    shown = wire.FeedFileList(links=links, results=[feeds.feed_file(each) for each in listed])
    return Response(shown.encoded(), media_type=translate.JSON)
