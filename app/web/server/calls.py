"""Calls the function of a route straight away where it needs nothing of FastAPI: see ADR 77.

FastAPI goes through all kinds of parameters that a route may have, for each of its dependencies, at every request. Most
routes have few: the request, parts of the path, and dependencies like these.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.convertors import PathConvertor, StringConvertor
from starlette.routing import request_response

# What a function may ask of FastAPI and gets from FastAPI alone.
OTHERS: Final = (
    "query_params",
    "header_params",
    "cookie_params",
    "body_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "own_oauth_scopes",
    "parent_oauth_scopes",
    "concurrency",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One function, and where its arguments come from."""

    function: Callable[..., Awaitable[Any]]
    request: str | None  # the parameter that is the request
    path: tuple[str, ...]  # parameters that are parts of the path
    results: Mapping[str, int]  # parameters that are results of earlier calls, by their number


def call_directly(route: APIRoute) -> None:
    """Takes FastAPI out of a route that does not need it. What is documented, and every other route, stays as it is."""
    calls = list[Call]()
    if returns_response(route) and add_calls(route, route.dependant, calls) is not None:
        route.app = request_response(build_handler(calls))


def returns_response(route: APIRoute) -> bool:
    returned = get_type_hints(inspect.unwrap(route.endpoint)).get("return")
    return isinstance(returned, type) and issubclass(returned, Response)


def add_calls(route: APIRoute, dependant: Dependant, calls: list[Call]) -> int | None:
    """Adds what has to be called, in FastAPI's order and each function once, and returns the number of the last one.
    None if FastAPI has to do it."""
    results = dict[str, int]()
    for each in dependant.dependencies:
        number = None if each.scope else add_calls(route, each, calls)
        if number is None:
            return None
        if each.name is not None:
            results[each.name] = number
    function = dependant.call
    known = next((number for number, each in enumerate(calls) if each.function == function), None)
    if known is not None:
        return known
    if function is None or not is_simple(route, dependant):
        return None
    path = tuple(each.name for each in dependant.path_params)
    calls.append(Call(function, dependant.request_param_name, path, results))
    return len(calls) - 1


def is_simple(route: APIRoute, dependant: Dependant) -> bool:
    if any(getattr(dependant, name) for name in OTHERS) or not dependant.use_cache:
        return False
    call: Any = dependant.call
    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
    return is_async and all(
        each.field_info.annotation is str
        and not each.field_info.metadata
        and each.alias == each.name
        and isinstance(route.param_convertors.get(each.name), StringConvertor | PathConvertor)
        for each in dependant.path_params
    )


def build_handler(calls: list[Call]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        results = list[Any]()
        for call in calls:
            arguments: dict[str, Any] = {name: results[number] for name, number in call.results.items()}
            if call.request is not None:
                arguments[call.request] = request
            for name in call.path:
                arguments[name] = request.path_params[name]
            results.append(await call.function(**arguments))
        answer: Response = results[-1]
        return answer

    return handle
