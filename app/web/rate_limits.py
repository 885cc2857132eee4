"""Counts requests against the rate limit, and reports in each response how many are left."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import Request
from starlette.types import Scope

from app.errors import Refused
from app.runtime import Runtime
from app.throttle import Allowance

SCOPE_KEY: Final = "allowance"  # where the scope of a request holds its allowance
# How a surface reports an allowance.
RateHeaders = Callable[[Request, Allowance], Mapping[str, str]]


async def count_request(request: Request, runtime: Runtime, who: str) -> None:
    """Counts one request of `who`, a key or an address. Raises Refused("too_many_requests")."""
    allowance = await runtime.throttle.take(who)
    request.scope[SCOPE_KEY] = allowance
    if allowance is not None and allowance.retry_after is not None:
        message = f"The limit of {allowance.limit:,} requests is reached. Try again in {allowance.retry_after} seconds"
        raise Refused("too_many_requests", message, retry_after=allowance.retry_after)


def remaining_allowance(scope: Scope, runtime: Runtime) -> Allowance | None:
    """What is left after a request: everything if it was not counted, None without a limit."""
    return scope[SCOPE_KEY] if SCOPE_KEY in scope else runtime.throttle.full()
