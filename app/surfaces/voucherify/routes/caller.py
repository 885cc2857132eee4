"""Who may do what on Voucherify's surface: rights of the key, and the scope that an access token needs besides."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.caller import Caller
from app.errors import Refused
from app.web.caller import OpenRuntime, RequireScope, identify_caller

MayImportCustomers = Annotated[Caller, Depends(RequireScope("imports:write", "customers"))]
MayReadCustomers = Annotated[Caller, Depends(RequireScope("records:read", "customers"))]
MayReadActions = Annotated[Caller, Depends(RequireScope("imports:read", "async-actions"))]


async def key_itself(request: Request, runtime: OpenRuntime) -> Caller:
    """A token cannot make tokens, else it would live for ever. Raises Refused: not_authenticated, too_many_requests,
    not_allowed."""
    caller = await identify_caller(request, runtime)
    if caller.areas is not None:
        raise Refused("not_allowed", "An access token cannot do this; send the key's X-App-Id and X-App-Token")
    return caller


# Whatever the key allows: what its tokens may do is never more.
HoldsKey = Annotated[Caller, Depends(key_itself)]
