"""Around every request: an id, a line in the log, a clean answer when it breaks, a clean end of the connection."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observe.events import RequestCrashed, RequestDenied, RequestServed
from app.observe.logs import error_kind, format_trace
from app.runtime import Runtime
from app.web.rate_limits import RateHeaders, remaining_allowance

# A client that is refused early may still be sending: what it sends is thrown away for so long.
LINGER_SECONDS = 15.0
LINGER_BYTES = 134_217_728
DENIED = (401, 403)
# What a file or a message says is never taken for a page.
NOSNIFF = (b"x-content-type-options", b"nosniff")


class ResponseCutOff(Exception):
    """An answer that had begun could not be ended; the server closes the connection."""


class RequestMiddleware:
    """ASGI middleware; `broke` renders the answer of a request that broke, given its id, `rates` the headers that tell
    what is left of a rate limit."""

    def __init__(self, app: ASGIApp, broke: Callable[[Request, str], Response], rates: RateHeaders) -> None:
        self.app = app
        self.broke = broke
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # HEAD is answered as GET is. In a copy: the server sees HEAD in its own and leaves the body out.
        method = scope["method"]
        scope = {**scope, "method": "GET"} if method == "HEAD" else scope
        exchange = Exchange(scope, receive, send, self.rates, id=token_hex(9), method=method)
        scope["request_id"] = exchange.id
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=exchange.id):
            try:
                await self.app(scope, exchange.receive, exchange.send)
            except Exception as trouble:  # noqa: BLE001  whatever it is, the caller gets an answer
                await self.rescue(exchange, trouble)
            finally:
                self.tell(exchange, time.monotonic() - began)

    async def rescue(self, exchange: "Exchange", trouble: Exception) -> None:
        """Logs what broke, without its text, and answers if that is still possible."""
        scope = exchange.scope
        place = (exchange.id, exchange.method, exchange.route)
        get_runtime(scope).observe(RequestCrashed(*place, error_kind(trouble), format_trace(trouble)))
        if exchange.status is not None:
            raise ResponseCutOff from None
        response = self.broke(Request(scope), exchange.id)
        await response(scope, exchange.receive, exchange.send)

    def tell(self, exchange: "Exchange", seconds: float) -> None:
        observe, status = get_runtime(exchange.scope).observe, exchange.status or 0
        place = (exchange.id, exchange.method, exchange.route)
        observe(RequestServed(*place, status, round(seconds, 6)))
        if status in DENIED:
            address, _ = exchange.scope.get("client") or ("", 0)
            observe(RequestDenied(*place, status, address))


@dataclass(slots=True)
class Exchange:
    """One request and its answer as they pass through."""

    scope: Scope
    upstream: Receive
    downstream: Send
    rates: RateHeaders
    id: str
    method: str  # as the client said it
    status: int | None = None
    received: bool = False  # anything of the body
    ended: bool = False  # the body has been read to its end, or the client is gone

    @property
    def route(self) -> str:
        """The route's template, never the path: that would be a metric per import."""
        return str(getattr(self.scope.get("route"), "path", "none"))

    async def receive(self) -> Message:
        message = await self.upstream()
        self.received = True
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = (NOSNIFF, (b"x-request-id", self.id.encode()), *self.rate_headers())
            message["headers"] = [*message.get("headers", ()), *own]
        elif not message.get("more_body", False) and self.still_sending():
            # The whole answer goes out now, its end when the client has stopped: closing a connection on unread bytes
            # resets it, and the client never sees why it was refused.
            await self.downstream({**message, "more_body": True})
            await self.linger()
            message = {"type": "http.response.body", "body": b""}
        await self.downstream(message)

    def rate_headers(self) -> list[tuple[bytes, bytes]]:
        left = remaining_allowance(self.scope, get_runtime(self.scope))
        shown = self.rates(Request(self.scope), left) if left else {}
        return [(name.lower().encode(), value.encode()) for name, value in shown.items()]

    def still_sending(self) -> bool:
        headers = dict(self.scope["headers"])
        has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        # A client that asked first and was told no will not send.
        waits = b"expect" in headers and not self.received
        return has_body and not self.ended and not waits

    async def linger(self) -> None:
        thrown = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended and thrown < LINGER_BYTES:
                    thrown += len((await self.receive()).get("body", b""))


def request_id(request: Request) -> str:
    """The id of the request, as the log has it."""
    return str(request.scope["request_id"])


def get_runtime(scope: Scope) -> Runtime:
    runtime: Runtime = scope["app"].state.runtime
    return runtime
