"""Counts a request against the rate limit, and tells in its answer what is left of that."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import Request
from starlette.types import Scope

from app.errors import Refused
from app.runtime import Runtime
from app.throttle import Allowance

SCOPE_KEY: Final = "allowance"  # where a request's scope holds what is left
# How a surface puts it.
RateHeaders = Callable[[Request, Allowance], Mapping[str, str]]


async def count_request(request: Request, runtime: Runtime, who: str) -> None:
    """Raises Refused("too_many_requests")."""
    left = await runtime.throttle.take(who)
    request.scope[SCOPE_KEY] = left
    if left is not None and left.retry_after is not None:
        told = f"All {left.limit:,} requests of this time are used up; go on in {left.retry_after} seconds"
        raise Refused("too_many_requests", told, retry_after=left.retry_after)


def remaining_allowance(scope: Scope, runtime: Runtime) -> Allowance | None:
    """What is left after a request; all, if it was not counted. None: there is no limit."""
    return scope[SCOPE_KEY] if SCOPE_KEY in scope else runtime.throttle.full()
