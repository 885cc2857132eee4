"""Who may post to the dashboard: its own pages, and nobody else's. Replaces tokens in forms, which go stale."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.failures import Failure
from app.web.links import base_url
from app.web.requests import get_runtime

READING: Final = ("GET", "HEAD")
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
FOREIGN: Final = "The form was sent by another website. Open the page here, and send it again"


class SameOriginMiddleware:
    """Refuses requests below `prefix` that change something and come from elsewhere, before their body is read."""

    def __init__(self, app: ASGIApp, prefix: str, render: Callable[[Failure, Request], Response]) -> None:
        self.app = app
        self.prefix = prefix
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_below(scope["path"], self.prefix) and scope["method"] not in READING:
            request = Request(scope)
            if not is_same_origin(request, base_url(request, get_runtime(scope))):
                await self.render(Failure("not_allowed", FOREIGN), request)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def is_same_origin(request: Request, own_url: str) -> bool:
    """Browsers say where a request comes from, and no script can change it. On plain HTTP they send `Origin` alone."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == origin_of(own_url)


def origin_of(url: str) -> str:
    """As browsers write it: in lower case, and without the port that is meant anyway."""
    parts = urlsplit(url)
    scheme, place = parts.scheme.lower(), parts.netloc.lower()
    return f"{scheme}://{place.removesuffix(DEFAULT_PORTS.get(scheme, ''))}"
