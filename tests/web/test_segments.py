"""Routes are found by the first segment of their path as they are found among all."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import Match

from app.main import SITES
from app.web.server.segments import RoutesBySegment, divide, first_segment

ROUTES = [route for surface in SITES.all for route in surface.routes]


def find(routes: list[Any], method: str, path: str) -> Any:
    """The first that fits, or the first that fits but for its method."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    matches = [(route.matches(scope)[0], route) for route in routes]
    full = [route for match, route in matches if match is Match.FULL]
    partial = [route for match, route in matches if match is Match.PARTIAL]
    return next(iter(full or partial), None)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_each_path_has_the_route_that_it_has_among_all(method: str) -> None:
    parts = divide(ROUTES)
    for route in ROUTES:
        path = re.sub(r"\{\w+(:\w+)?\}", "x", route.path)
        assert find(parts[first_segment(path)].routes, method, path) is find(ROUTES, method, path)


async def test_what_has_no_route_and_no_method_is_told_as_before() -> None:
    whole, divided = FastAPI(redirect_slashes=False), FastAPI(redirect_slashes=False)
    for app in (whole, divided):
        app.router.routes.extend(ROUTES)
    divided.router.middleware_stack = RoutesBySegment(divided.router)
    paths = ("/", "//", "/nothing", "/imports/a/b/c/d", "/healthz/", "/v1", "/healthz?a=/imports", "/%2Fhealthz")
    for method, path in [*(("GET", path) for path in paths), ("DELETE", "/healthz"), ("OPTIONS", "/healthz")]:
        told = []
        for app in (whole, divided):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                answer = await client.request(method, path)
                told.append((answer.status_code, answer.text, answer.headers.get("allow")))
        assert told[0] == told[1], path


async def test_a_path_with_what_the_app_is_mounted_under_is_found() -> None:
    async def tell() -> str:
        return "here"

    app = FastAPI()
    app.router.routes.append(APIRoute("/place", tell))
    app.router.middleware_stack = RoutesBySegment(app.router)
    transport = httpx.ASGITransport(app=app, root_path="/sluice")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/sluice/place")).json() == "here"


def test_a_path_that_begins_with_a_parameter_is_refused() -> None:
    router = APIRouter()
    router.get("/{anything}/x")(find)
    with pytest.raises(ValueError, match="begins with a parameter"):
        divide(router.routes)
