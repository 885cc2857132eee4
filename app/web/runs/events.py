"""The event stream of a run: sends the run whenever it has changed, until it has ended."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from app.auth.caller import Caller
from app.errors import Refused, Retryable
from app.runs.model import Run
from app.runs.status import Status
from app.runtime import Runtime
from app.web.caller import find_caller
from app.web.refusals import refusals
from app.web.requests import is_head
from app.web.runs.polling import version_of
from app.web.runs.waiting import find_place, is_stopping, wait_for_change

SILENT_SECONDS: Final = 15.0  # after which a comment is sent: proxies cut off who says nothing
RETRY_MS: Final = 2_000  # after which a client comes back whose connection was lost
RETRY_SECONDS: Final = 5
TOO_MANY: Final = "So many requests of this account wait for changes that there is no room for another one"
STREAM: Final[dict[str, Any]] = {"text/event-stream": {"schema": {"type": "string"}}}
EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    **refusals(401, 403, 404, 410, 503),
    200: {"description": "One event for each change", "content": STREAM},
    204: {"description": "The run has ended, and the event with this `Last-Event-ID` was the last one"},
}
RESUMED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "The `id` of the last event that was received",
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A run as an event shows it."""

    current: Status
    body: bytes | memoryview

    @property
    def version(self) -> str:
        return version_of(self.current)

    @property
    def facts(self) -> tuple[Run, int | None, str | None]:
        """All that an event can show but estimates. Two that are equal look the same."""
        hidden: dict[str, Any] = {"version": "", "heartbeat_at": None, "attempt": 0, "crashes": 0}
        wait = self.current.wait
        return replace(self.current.run, **hidden), self.current.queue_position, None if wait is None else wait.code


# Raises Refused if the run is gone.
Load = Callable[[], Awaitable[Shown]]


async def tell_changes(request: Request, runtime: Runtime, caller: Caller, load: Load) -> Response:
    """The stream, or 204 if there is nothing to tell any more: a client that gets that does not come back.

    Raises Refused: too_many_reads, and what `load` raises.
    """
    shown = await load()
    if shown.current.run.done and request.headers.get("last-event-id") == shown.version:
        return Response(status_code=204)
    if is_head(request):
        return Response(media_type=EventSourceResponse.media_type)
    with find_place(runtime, caller.account_id) as free:
        if not free:
            raise Refused("too_many_reads", TOO_MANY, retry_after=RETRY_SECONDS)
    events = follow(request, runtime, caller.account_id, shown, load)
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})


async def follow(request: Request, runtime: Runtime, account_id: Any, shown: Shown, load: Load) -> AsyncIterator[bytes]:
    with find_place(runtime, account_id) as free:
        if not free:  # requests that come at once are all let in before any of them counts
            return
        if request.headers.get("last-event-id") != shown.version:
            yield format_shown(shown)
        async for event in tell_later_changes(request, runtime, shown, load):
            yield event


async def tell_later_changes(request: Request, runtime: Runtime, shown: Shown, load: Load) -> AsyncIterator[bytes]:
    """What comes after the event that has shown the run. A key that was revoked is told nothing more."""
    spoke, stopping = time.monotonic(), is_stopping(request)
    while not shown.current.run.done and not stopping.is_set():
        run_id = shown.current.run.id
        silent = SILENT_SECONDS - (time.monotonic() - spoke)
        await wait_for_change(request, runtime, run_id, shown.version, seconds=max(0.0, silent))
        try:
            await find_caller(request, runtime)
            newer = await load()  # also in silence: workers that are missing are no change of the run
        except Retryable:
            newer = shown
        except Refused:
            return
        if newer.facts != shown.facts:
            yield format_shown(newer)
            spoke = time.monotonic()
        elif time.monotonic() - spoke >= SILENT_SECONDS:
            yield KEEPALIVE_COMMENT
            spoke = time.monotonic()
        shown = newer


def format_shown(shown: Shown) -> bytes:
    return format_sse_event(data_str=bytes(shown.body).decode(), id=shown.version, retry=RETRY_MS)
