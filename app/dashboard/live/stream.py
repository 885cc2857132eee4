"""The event stream of a page: sends what has changed, and ends with the page, its session or the process."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from app.dashboard.live.page import LivePage, Moment
from app.errors import Refused, Retryable
from app.under_way import counting

MOVING_SECONDS: Final = 1.0  # from one look to the next while something moves
STILL_SECONDS: Final = 5.0  # while nothing does; and from one look at the session to the next
LONGEST_SECONDS: Final = 300.0  # then the browser opens another one
SILENT_SECONDS: Final = 15.0  # after which a comment is sent: proxies cut off who says nothing
RETRY_MS: Final = 2_000
END: Final = format_sse_event(event="end", data_str="done")
LOST: Final = format_sse_event(event="end", data_str="lost")
# Of one session: a browser has six connections, which pages need, too. Of one person or key: three browsers.
MOST_STREAMS: Final = (4, 12)
Holders = tuple[str, str]  # the ids of a session, and of the person or key that it belongs to
StillIn = Callable[[], Awaitable[bool]]


def has_room(streams: Counter[str], holders: Holders) -> bool:
    """Whether one more stream may be opened."""
    return all(streams[holder] < most for holder, most in zip(holders, MOST_STREAMS, strict=True))


async def follow(
    page: LivePage, stopping: asyncio.Event, still_in: StillIn, streams: Counter[str], holders: Holders
) -> AsyncIterator[bytes]:
    """The events. `end` says that no more will come, because all is done, or because the page or the session is lost.
    Without it the browser opens the stream again."""
    if not has_room(streams, holders):  # requests that come at once are all let in before any of them counts
        yield LOST
        return
    session, owner = holders
    with counting(streams, session), counting(streams, owner):
        async for event in read_changes(page, stopping, still_in):
            yield event


async def read_changes(page: LivePage, stopping: asyncio.Event, still_in: StillIn) -> AsyncIterator[bytes]:
    sent: dict[str, str] = {}
    began = spoke = asked = time.monotonic()
    while not stopping.is_set() and (now := time.monotonic()) - began < LONGEST_SECONDS:
        asks = now - asked >= STILL_SECONDS
        asked = now if asks else asked
        moment = await look(page, still_in if asks else None)
        if moment is None:
            yield LOST
            return
        changed = {name: html for name, html in moment.regions.items() if sent.get(name) != html}
        sent |= changed
        if changed or now - spoke >= SILENT_SECONDS:
            spoke = now
            yield format_regions(changed) if changed else KEEPALIVE_COMMENT
        if moment.ended:
            yield END
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), MOVING_SECONDS if moment.moves else STILL_SECONDS)


async def look(page: LivePage, still_in: StillIn | None) -> Moment | None:
    """The page as it is now, without regions while it cannot be read; None if there is none any more, or nobody who may
    see it."""
    try:
        if still_in is not None and not await still_in():
            return None
        return await page.read()
    except Retryable:
        return Moment({}, moves=False)
    except Refused:
        return None


def format_regions(changed: Mapping[str, str]) -> bytes:
    return format_sse_event(event="regions", data_str="".join(changed.values()), retry=RETRY_MS)
