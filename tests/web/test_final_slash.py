"""Every path of the APIs may end with a slash, but for keys, which may hold slashes, and what monitors ask."""

import re
from typing import Any

import pytest
from starlette.routing import Match

from app.main import SITES
from app.web.server.final_slash import KEY

SURFACES = [surface for surface in SITES.all if surface.name != "dashboard"]
ROUTES = [route for surface in SURFACES for route in surface.routes]
AS_THEY_ARE = {"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/{file}"}


def find(method: str, path: str) -> Any:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return next((route.endpoint for route in ROUTES if route.matches(scope)[0] is Match.FULL), None)


@pytest.mark.parametrize("route", [r for r in ROUTES if KEY not in r.path and r.path not in AS_THEY_ARE], ids=str)
def test_with_a_slash_and_without_it_is_one_path(route: Any) -> None:
    path = re.sub(r"\{\w+\}", "x", route.path).rstrip("/")
    for method in route.methods:
        assert find(method, path) is not None
        assert find(method, f"{path}/") is find(method, path)
        for other in ("//", "/\n"):  # they are nothing, or something with such a name
            assert find(method, f"{path}{other}") is not find(method, path)


@pytest.mark.parametrize("path", sorted(AS_THEY_ARE - {"/", "/docs", "/docs/{file}"}))
def test_what_monitors_ask_is_as_it_is(path: str) -> None:
    assert find("GET", path) is not None
    assert find("GET", f"{path}/") is None


@pytest.mark.parametrize(
    ("path", "key"), [("/records/things/a", "a"), ("/records/things/a/", "a/"), ("/v2/products/a/", "a/")]
)
def test_a_key_keeps_its_slash(path: str, key: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    (found,) = [scope for match, scope in (route.matches(scope) for route in ROUTES) if match is Match.FULL]
    assert key in found["path_params"].values()
