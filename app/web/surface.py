"""Surfaces: the HTTP APIs of this service, each with its routes and its own rendering of errors."""

import errno
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from app.errors import Complaint, Refused, Retryable, describe, name_subject
from app.throttle import Allowance
from app.web.failures import INTERNAL_ERROR, Failure, failure_from
from app.web.server.calls import call_directly
from app.web.server.segments import RoutesBySegment
from app.web.shapes import Shape

AnyShape = TypeVar("AnyShape", bound=Shape)

UNAVAILABLE_RETRY_SECONDS: Final = 5
# The codes of errors that the framework raises, by status.
CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


@dataclass(frozen=True, slots=True)
class Security:
    """Authentication in OpenAPI terms: the schemes by name, and which of them suffice."""

    schemes: Mapping[str, Any]
    enough: Sequence[Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Surface:
    """One HTTP API. It renders the errors of all paths below its `prefixes`, even where no route is; "/" covers every
    path that no other surface covers."""

    name: str
    title: str
    description: str
    prefixes: tuple[str, ...]
    routes: Sequence[APIRoute]
    render: Callable[[Failure, Request], Response]
    rate_headers: Callable[[Allowance], Mapping[str, str]]
    security: Security | None = None  # None: the default of all surfaces


@dataclass(frozen=True, slots=True)
class Surfaces:
    """All surfaces. The one with the longest prefix of a path renders its errors."""

    all: Sequence[Surface]

    def find(self, request: Request) -> Surface:
        # The path of the scope, not of the URL: that one can be poisoned by the Host header.
        path: str = request.scope["path"]
        matches = [
            (len(prefix), surface)
            for surface in self.all
            for prefix in surface.prefixes
            # A path may lack the slash at its start: load balancers send `OPTIONS *`.
            if prefix in ("/", path) or path.startswith(prefix + "/")
        ]
        return max(matches, key=lambda each: each[0])[1]

    def render(self, failure: Failure, request: Request) -> Response:
        return self.find(request).render(failure, request)

    def mount(self, app: FastAPI) -> None:
        """Puts all routes straight on the app, and the handlers that turn exceptions into responses."""
        for surface in self.all:
            app.router.routes.extend(surface.routes)
        app.router.middleware_stack = RoutesBySegment(app.router)
        app.add_exception_handler(Refused, self._refused)
        app.add_exception_handler(Retryable, self._retryable)
        app.add_exception_handler(OSError, self._machine)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self._framework)

    async def _refused(self, request: Request, refused: Exception) -> Response:
        assert isinstance(refused, Refused)  # noqa: S101  for the type only
        return self.render(failure_from(refused), request)

    async def _retryable(self, request: Request, _: Exception) -> Response:
        message = "The service is temporarily unavailable. Try again"
        return self.render(Failure("not_ready", message, retry_after=UNAVAILABLE_RETRY_SECONDS), request)

    async def _machine(self, request: Request, error: Exception) -> Response:
        """Trouble of this machine, wherever it is met, is nobody's fault and passes. Everything else is a crash."""
        if isinstance(error, OSError) and error.errno in MACHINE_TROUBLE:
            return await self._retryable(request, error)
        raise error

    async def _invalid(self, request: Request, wrong: Exception) -> Response:
        assert isinstance(wrong, RequestValidationError)  # noqa: S101  for the type only
        errors = wrong.errors()
        complaints = tuple(complaint_from(each["loc"][1:], each["msg"]) for each in errors)
        facts = {"in": str(errors[0]["loc"][0])}
        return self.render(Failure("invalid", describe(complaints), complaints, facts=facts), request)

    async def _framework(self, request: Request, refused: Exception) -> Response:
        assert isinstance(refused, HTTPException)  # noqa: S101  for the type only
        code = CODES.get(refused.status_code, "bad_request")
        headers = {"Allow": ", ".join(allowed_methods(request))} if code == "method_not_allowed" else {}
        return self.render(Failure(code, DETAILS.get(code, refused.detail), headers=headers), request)


MACHINE_TROUBLE: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO, errno.EROFS, errno.ENOMEM}
)
DETAILS: Final = {
    "not_found": "Nothing exists at this path",
    "method_not_allowed": "This path does not support the method",
}


def collect_routes(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """The routes of routers that include no others. FastAPI would make another copy of every route of a router that is
    included, with all that belongs to it, at the first request: 9 MB of an API process."""
    return [end_strictly(route) for router in routers for route in router.routes]


def end_strictly(route: BaseRoute) -> APIRoute:
    """The route itself. From now on it does not match a path with a line break at its end, as `$` does."""
    assert isinstance(route, APIRoute)  # noqa: S101  for the type only
    route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
    call_directly(route)
    return route


def complaint_from(location: Sequence[str | int], message: str) -> Complaint:
    """One error of pydantic, by its `loc` and `msg`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    return Complaint(path, name_subject(path, message))


def parse_shape(shape: type[AnyShape], body: dict[str, object]) -> AnyShape:
    """The body of a request in its shape. Raises one Refused("invalid") that names every mistake."""
    try:
        return shape.model_validate(body)
    except ValidationError as wrong:
        complaints = [complaint_from(each["loc"], each["msg"]) for each in wrong.errors()]
        raise Refused("invalid", describe(complaints), complaints) from None


def internal_error(request_id: str) -> Failure:
    return Failure(INTERNAL_ERROR, f"An internal error occurred. Report the request id {request_id} to the operator")


def allowed_methods(request: Request) -> list[str]:
    """The methods of all routes with the path of the request; GET includes HEAD (see RequestMiddleware)."""
    methods: set[str] = set()
    for route in request.app.routes:
        for method in METHODS:
            if route.matches({**request.scope, "method": method})[0] is Match.FULL:
                methods.add(method)
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
