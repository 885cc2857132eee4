"""Who may do what on Voucherify's surface: the scope that a key needs, and the one that an access token needs."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.caller import Caller
from app.errors import Refused
from app.web.caller import RequireScope, ServiceRuntime, identify_caller

MayImportCustomers = Annotated[Caller, Depends(RequireScope("imports:write", "customers"))]
MayReadCustomers = Annotated[Caller, Depends(RequireScope("records:read", "customers"))]
MayReadActions = Annotated[Caller, Depends(RequireScope("imports:read", "async-actions"))]


async def require_key(request: Request, runtime: ServiceRuntime) -> Caller:
    """A key, not a token: a token that could issue tokens would live for ever. Raises Refused: not_authenticated,
    too_many_requests, not_allowed."""
    caller = await identify_caller(request, runtime)
    if caller.areas is not None:
        raise Refused("not_allowed", "An access token cannot do this. Send the key in `X-App-Id` and `X-App-Token`")
    return caller


# Any scope will do: its tokens can never do more than the key.
HoldsKey = Annotated[Caller, Depends(require_key)]
