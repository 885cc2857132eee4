"""Middleware around every request: gives it an id, logs it, answers crashes, and closes connections cleanly."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import SourceLost, shorten_name
from app.observe.acting import Acting, acting
from app.observe.events import ProbeServed, RequestCrashed, RequestDenied, RequestServed, ResponseCutOff
from app.observe.logs import error_kind, format_trace
from app.runtime import Runtime
from app.web.rate_limits import RateHeaders, remaining_allowance

# A client that is refused early may still be sending: for so long, what it sends is read and discarded.
LINGER_SECONDS = 15.0
LINGER_BYTES = 134_217_728
DENIED = (401, 403)
BODILESS = "bodiless"  # in the scope of a HEAD
NO_ROUTE = "none"
PROBES = ("/healthz", "/readyz", "/metrics")
# What begins an unknown path is told as long as it can be neither an address nor a key nor a token.
WORD = re.compile(r"[A-Za-z0-9._-]{0,24}")
HIDDEN = "token"  # a parameter of a path that is called so is a secret
PARAMETER = re.compile(r"\{(\w+)(:key)?\}")
# Browsers must not take files or messages for pages.
NOSNIFF = (b"x-content-type-options", b"nosniff")
# Every answer is of this moment and of one account: no cache may keep it, unless a route says otherwise.
NO_STORE = (b"cache-control", b"no-store")


class ResponseIncomplete(Exception):
    """A response could not be finished after it had begun. The server closes the connection."""


class RequestMiddleware:
    """ASGI middleware.

    `render_crash` renders the response to a request that crashed, given its id; `rate_headers` the headers that report
    the rate limit; `name_surface` tells which surface a request is for.
    """

    def __init__(
        self,
        app: ASGIApp,
        render_crash: Callable[[Request, str], Response],
        rate_headers: RateHeaders,
        name_surface: Callable[[Request], str],
    ) -> None:
        self.app = app
        self.render_crash = render_crash
        self.rate_headers = rate_headers
        self.name_surface = name_surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # HEAD is handled as GET, in a copy of the scope: the server sees HEAD in the original and omits the body.
        method = scope["method"]
        scope = {**scope, "method": "GET", BODILESS: True} if method == "HEAD" else scope
        exchange = Exchange(scope, receive, send, self.rate_headers, id=token_hex(9), method=method)
        scope["request_id"] = exchange.id
        started = time.monotonic()
        traces = get_runtime(scope).observe.traces
        address, _ = scope.get("client") or (None, 0)
        sender = Acting(address=address, surface=self.name_surface(Request(scope)), request_id=exchange.id)
        bound = structlog.contextvars.bound_contextvars(request_id=exchange.id, **traces.log_fields())
        with bound, acting(sender):
            try:
                await self.app(scope, exchange.receive, exchange.send)
            except SourceLost:
                get_runtime(scope).observe(ResponseCutOff(exchange.id, exchange.method, exchange.route))
                raise ResponseIncomplete from None
            except Exception as error:  # noqa: BLE001  whatever it is, the caller gets a response
                await self.answer_crash(exchange, error)
            finally:
                self.log_request(exchange, time.monotonic() - started)

    async def answer_crash(self, exchange: "Exchange", error: Exception) -> None:
        """Logs the error without its text, and answers if that is still possible."""
        scope = exchange.scope
        get_runtime(scope).observe(
            RequestCrashed(exchange.id, exchange.method, exchange.route, error_kind(error), format_trace(error))
        )
        if exchange.status is not None:
            raise ResponseIncomplete from None
        response = self.render_crash(Request(scope), exchange.id)
        await response(scope, exchange.receive, exchange.send)

    def log_request(self, exchange: "Exchange", seconds: float) -> None:
        observe, status = get_runtime(exchange.scope).observe, exchange.status or 0
        caller = exchange.scope.get("caller")
        served = ProbeServed if exchange.route in PROBES else RequestServed
        observe(
            served(
                exchange.id,
                exchange.method,
                exchange.shown_path,
                exchange.route,
                status,
                ms=round(seconds * 1000, 3),
                bytes=exchange.sent,
                key=caller and caller.id,
                account=caller and caller.account,
            )
        )
        if status in DENIED:
            address, _ = exchange.scope.get("client") or ("", 0)
            observe(RequestDenied(exchange.id, exchange.method, exchange.route, status, address))


@dataclass(slots=True)
class Exchange:
    """One request and its answer as they pass through."""

    scope: Scope
    upstream: Receive
    downstream: Send
    render_rate_headers: RateHeaders
    id: str
    method: str  # as the client sent it
    status: int | None = None
    received: bool = False  # any part of the body
    ended: bool = False  # the body has been read to its end, or the client is gone
    sent: int = 0  # bytes of the answer's body

    @property
    def route(self) -> str:
        """The template of the route, never the path: that would make a metric of every import."""
        return str(getattr(self.scope.get("route"), "path", NO_ROUTE))

    @property
    def shown_path(self) -> str:
        """For the log: no keys of records and no tokens, and of a path that is not known only two short words."""
        if self.route == NO_ROUTE:
            first, *rest = self.scope["path"].removeprefix("/").split("/")
            shown = [each if WORD.fullmatch(each) else "…" for each in (first, *rest[:1])]
            return "/" + "/".join([*shown, *(["…"] if rest[1:] else [])])
        given = self.scope.get("path_params", {})

        def fill(found: re.Match[str]) -> str:
            if found[1] == HIDDEN:
                return "{token}"
            return "{key}" if found[2] else shorten_name(str(given.get(found[1], found[0])))

        return PARAMETER.sub(fill, self.route)

    async def receive(self) -> Message:
        message = await self.upstream()
        self.received = True
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        self.sent += len(message.get("body", b""))
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.describe()
            sent = list(message.get("headers", ()))
            cached = any(name.lower() == NO_STORE[0] for name, _ in sent)
            own = (NOSNIFF, *(() if cached else (NO_STORE,)), (b"x-request-id", self.id.encode()), *self.rate_headers())
            message["headers"] = [*sent, *own]
        elif not message.get("more_body", False) and self.still_sending():
            # The whole response is sent now, and ended when the client has stopped sending: closing a connection with
            # unread bytes resets it, and the client would never see why it was refused.
            await self.downstream({**message, "more_body": True})
            await self.linger()
            message = {"type": "http.response.body", "body": b""}
        await self.downstream(message)

    def describe(self) -> None:
        """Tells the span of the request, which ends with the answer, what the log tells."""
        caller = self.scope.get("caller")
        told = {"request_id": self.id, "account": caller and caller.account}
        get_runtime(self.scope).observe.traces.describe({f"sluice.{name}": it for name, it in told.items() if it})

    def rate_headers(self) -> list[tuple[bytes, bytes]]:
        allowance = remaining_allowance(self.scope, get_runtime(self.scope))
        headers = self.render_rate_headers(Request(self.scope), allowance) if allowance else {}
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    def still_sending(self) -> bool:
        headers = dict(self.scope["headers"])
        has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        # A client that sent `Expect` and was refused will not send its body.
        waiting = b"expect" in headers and not self.received
        return has_body and not self.ended and not waiting

    async def linger(self) -> None:
        discarded = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.ended and discarded < LINGER_BYTES:
                    discarded += len((await self.receive()).get("body", b""))


def request_id(request: Request) -> str:
    """The id of the request, as in the log."""
    return str(request.scope["request_id"])


def get_runtime(scope: Scope) -> Runtime:
    runtime: Runtime = scope["app"].state.runtime
    return runtime


def is_head(request: Request) -> bool:
    """Whether only the headers are wanted: then nothing is waited for."""
    return BODILESS in request.scope
